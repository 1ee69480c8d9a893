/** Operations with two faces: awaited, and `.sync`, over one description. */
import type { Outcome } from '../../codec/control.js'
import type { SessionCore } from './core.js'
import { coreForSync, type Owner, whenUp } from './owner.js'

/**
 * A function with two faces: called, it gives a promise, which rejects; its `sync` blocks the calling thread, and
 * throws.
 */
export interface Both<A extends readonly unknown[], R> {
  (...args: A): Promise<R>
  /** Blocks this thread; throws. */
  sync(...args: A): R
}

/** `Both` inside a job: either way it blocks. */
export interface Blocking<A extends readonly unknown[], R> {
  (...args: A): R
  /** The same as calling it. */
  sync(...args: A): R
}

/** What an operation asks the Windows side, and how it reads the outcome. */
type Ask<R> = (
  label: string,
  op: number,
  numbers: readonly (number | bigint)[],
  texts: readonly string[],
  read: (outcome: Outcome, core: SessionCore) => R,
) => R | Promise<R>

/** An operation as jobs get it, where nothing is awaited: it blocks, with or without `.sync`. */
export function blockingOnly<A extends readonly unknown[], R>({ sync }: Both<A, R>): Blocking<A, R> {
  return Object.assign((...args: A) => sync(...args), { sync })
}

/**
 * Makes the two faces of an operation on the Windows side. The awaited one begins at once if the session is up,
 * otherwise once it is; `operation` asks through the `ask` that it is given, once, and may throw before that.
 */
export function both<A extends readonly unknown[], R>(
  owner: Owner,
  operation: (ask: Ask<R>, ...args: A) => R | Promise<R>,
): Both<A, R> {
  const awaited = (...args: A): Promise<R> =>
    whenUp(owner, async core =>
      operation(
        (label, op, numbers, texts, read) =>
          core.control.request(label, op, numbers, texts).then(outcome => read(outcome, core)),
        ...args,
      ),
    )
  const sync = (...args: A): R => {
    const core = coreForSync(owner)
    return operation(
      (label, op, numbers, texts, read) => read(core.control.requestSync(label, op, numbers, texts), core),
      ...args,
    ) as R
  }
  return Object.assign(awaited, { sync })
}
