/**
 * The control messages of one thread: what the Windows side is asked beside calls of routines. `op` is a number of
 * `Op`, which says what `numbers` and `texts` are (docs/wire.md, "Control operations"); `label` names the request in
 * errors.
 */
import { ControlExchange } from '../../channel/control-exchange.js'
import type { Outcome } from '../../codec/control.js'
import type { SessionCore } from './core.js'
import { outcomeError } from './outcome-error.js'
import { runBlocking } from './run-blocking.js'

export class Control {
  constructor(private readonly core: SessionCore) {}

  /** Rejects with what the Windows side says, or with the session's end. */
  request(
    label: string,
    op: number,
    numbers: readonly (number | bigint)[] = [],
    texts: readonly string[] = [],
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => this.submit(label, op, numbers, texts, resolve, reject))
  }

  /** The same, blocking this thread; throws. */
  requestSync(
    label: string,
    op: number,
    numbers: readonly (number | bigint)[] = [],
    texts: readonly string[] = [],
  ): Outcome {
    const { core } = this
    core.assertAlive()
    return runBlocking(core, finish => {
      core.lane.submitSync(this.exchange(label, op, numbers, texts, outcome => finish(undefined, outcome), finish))
      return undefined
    })
  }

  /** Tells the Windows side that something is not needed any more. Nobody waits for the outcome. */
  discard(label: string, op: number, numbers: readonly (number | bigint)[]): void {
    const { core } = this
    if (!core.alive) return
    this.request(label, op, numbers).catch((error: Error) => {
      if (core.alive) core.stray(error)
    })
  }

  /**
   * As `request`, with functions in the place of a promise. These are called while the reply is read, which is before
   * the reply to anything that is asked later.
   */
  submit(...message: Parameters<Control['exchange']>): void {
    this.core.lane.submit(this.exchange(...message))
  }

  /** A control message as an exchange, which the caller submits. A failed outcome goes to `reject`, as an error. */
  exchange(
    label: string,
    op: number,
    numbers: readonly (number | bigint)[],
    texts: readonly string[],
    resolve: (outcome: Outcome) => void,
    reject: (error: Error) => void,
  ): ControlExchange {
    const settle = (outcome: Outcome) => {
      if (outcome.ok) resolve(outcome)
      else reject(outcomeError(label, outcome))
    }
    return new ControlExchange(label, op, numbers, texts, settle, reject)
  }
}
