/**
 * The only place that knows Comlink: functions of one thread of this program, called from another. What a function
 * throws is part of the answer, encoded by `encodeError`, so that the error arrives whole. Comlink's own handler for
 * errors carries message, name and stack alone, and is not replaced, since the program may use Comlink itself.
 */
import type { MessagePort } from 'node:worker_threads'
import * as comlink from 'comlink'
import { decodeError, type EncodedError, encodeError } from '../../errors.js'

type AnyFunction = (...args: never) => unknown

/** The functions of an API, as the other thread has them. */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? RemoteFunction<A, R> : never
}
type RemoteFunction<A extends unknown[], R> = (...args: A) => Promise<Awaited<R>>

type Answer = { readonly value: unknown } | { readonly error: EncodedError }

// Node's ports are event targets, as the browser's are
const endpoint = (port: MessagePort) => port as unknown as comlink.Endpoint

/** By a value: the port that goes along with it. */
const ports = new WeakMap<object, MessagePort>()

/**
 * Offers the functions of `api` to whoever holds the other end of the port. The port alone does not keep Node alive.
 */
export function expose<T extends { readonly [K in keyof T]: AnyFunction }>(api: T, port: MessagePort): void {
  const functions = Object.entries<AnyFunction>(api).map(([name, fn]) => [name, answering(fn)])
  comlink.expose(Object.fromEntries(functions), endpoint(port))
  port.unref()
}

const answering =
  (fn: AnyFunction) =>
  async (...args: never): Promise<Answer> => {
    try {
      const value = await fn(...args)
      const port = typeof value === 'object' && value !== null ? ports.get(value) : undefined
      return port ? comlink.transfer({ value }, [port as never]) : { value }
    } catch (error) {
      return { error: encodeError(error) }
    }
  }

interface Connection {
  isGone: boolean
  /** Each rejects a call that waits for its answer. */
  readonly waiting: Set<(error: Error) => void>
}

/**
 * A function of its own, so that what listens to the port does not refer to the proxy: Comlink keeps the port until the
 * proxy is collected.
 */
function connectionOf(port: MessagePort, gone: () => Error): Connection {
  const connection: Connection = { isGone: false, waiting: new Set() }
  port.once('close', () => {
    connection.isGone = true
    for (const reject of connection.waiting) reject(gone())
  })
  return connection
}

/**
 * The other thread's functions, each of which gives a promise. Once the other end of the port is closed, for instance
 * because its thread has ended, calls reject with what `gone` gives. `gone` must not refer to the result.
 */
export function wrap<T>(port: MessagePort, gone: () => Error): Remote<T> {
  const connection = connectionOf(port, gone)
  const remote = comlink.wrap<{ readonly [name: string]: (...args: unknown[]) => Promise<Answer> }>(endpoint(port))
  port.unref()
  const ask =
    (name: string) =>
    async (...args: unknown[]): Promise<unknown> => {
      const answer = await new Promise<Answer>((resolve, reject) => {
        if (connection.isGone) throw gone()
        connection.waiting.add(reject)
        remote[name](...args)
          .then(resolve, reject)
          .finally(() => connection.waiting.delete(reject))
      })
      if ('error' in answer) throw decodeError(answer.error)
      return answer.value
    }
  const functions = new Map<string, ReturnType<typeof ask>>()
  return new Proxy({} as Remote<T> & object, {
    get(_, name) {
      // `await` must not take the proxy for a promise
      if (typeof name !== 'string' || name === 'then') return undefined
      const known = functions.get(name) ?? ask(name)
      functions.set(name, known)
      return known
    },
  })
}

/** Has a port go along with a value, which is an argument or a result. */
export function transferred<T extends object>(value: T, port: MessagePort): T {
  ports.set(value, port)
  return comlink.transfer(value as never, [port as never]) as T
}
