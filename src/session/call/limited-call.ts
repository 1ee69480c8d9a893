/**
 * Awaited calls with a time limit or a signal. A call that still waits for its turn can be withdrawn. A routine that
 * runs ends only with its session, which is killed from the thread that made the call.
 */
import { EndReason } from '../../channel/shared.js'
import { AbortError, CallTimeoutError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import { failWith } from '../core/windows-error.js'
import type { CallExchange, FinishCall } from './exchange.js'

/**
 * Makes a call by `submit`, which returns nothing where it has ended the call already. Resolves with what `result`
 * makes of its end. Rejects with the call's error; with CallTimeoutError after `timeout` milliseconds, and AbortError
 * once `signal` is aborted, both of which end the session of a call that runs.
 */
export function startLimited<T>(
  core: SessionCore,
  label: string,
  timeout: number,
  signal: AbortSignal | undefined,
  submit: (done: FinishCall) => CallExchange | undefined,
  result: (value: unknown, lastError: number, errno: number) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    checkSignal(label, signal)
    // still undefined if code that reads the arguments (an adapter, a getter) aborts the signal
    let exchange: CallExchange | undefined
    const end = (reason: number, error: (what: string) => Error): undefined => {
      if (exchange && core.lane.withdraw(exchange, error('its turn had not come, and the session lives'))) return
      const why = error('its session has been ended')
      finish()
      reject(why)
      core.kill(reason, why)
    }
    const onAbort = () => end(EndReason.aborted, what => abortError(label, signal, what))
    const limit = core.limit(timeout, () => end(EndReason.timeout, what => timeoutError(label, timeout, what)))
    const finish = () => {
      limit?.end()
      signal?.removeEventListener('abort', onAbort)
    }
    signal?.addEventListener('abort', onAbort)
    exchange = submit((error, value, lastError, errno) => {
      finish()
      if (error) failWith(core, error, reject)
      else resolve(result(value, lastError, errno))
    })
  })
}

/** Throws AbortError if the signal is aborted before the call begins. */
export function checkSignal(label: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(label, signal, 'it had not begun')
}

/** The error of a call that did not return in time; `what` has become of it or its session. */
export const timeoutError = (label: string, timeout: number, what: string) =>
  new CallTimeoutError(`${label} did not return within ${timeout} ms; ${what}`, { routine: label, timeout })
const abortError = (label: string, signal: AbortSignal | undefined, what: string) =>
  new AbortError(`${label} was aborted; ${what}`, { cause: signal?.reason })
