/**
 * What happens when a DLL calls a callback: the JS function gets its arguments, and the DLL what the function returns.
 */
import { types } from 'node:util'
import type { Frame } from '../../channel/frame.js'
import { LocalBlock } from '../../ctypes/block.js'
import type { CallbackPlan } from '../../ctypes/callback-plan.js'
import { DIRECTIVES } from '../../ctypes/callback-type.js'
import { describe } from '../../ctypes/data.js'
import { isA } from '../../ctypes/given.js'
import { ArgumentError, ZugbrueckeError } from '../../errors.js'
import type { Loan, SessionCore } from './core.js'

/** Callbacks with so many plain arguments, at the most, share the room for them: most have no more. */
const FEW = 8

export class CallbackRunner {
  /** Room for arguments that are plain values: they are read before another callback can use it. */
  readonly #few = LocalBlock.allocate(8 * FEW)
  readonly #fewWords = new Int32Array(this.#few.bytes.buffer)
  /** Room for the bits of a result; undefined while a callback uses it. */
  #result: DataView | undefined = new DataView(new ArrayBuffer(8))

  constructor(private readonly core: SessionCore) {}

  /** Runs the callback that the host announces. Called by the lane. */
  readonly run = (frame: Frame, number: number, count: number, argumentsAt: number): void => {
    const { core } = this
    const { lane } = core
    const bound = core.thunks.find(number)
    if (!bound) {
      core.stray(new ZugbrueckeError('a DLL called a callback that is disposed; it got zero'))
      frame.finish(0, 0)
      return
    }
    const { callback, plan } = bound
    if (count !== plan.count) {
      core.stray(new ZugbrueckeError(`a callback came with ${count} of ${plan.count} arguments: a DLL wrote over them`))
      frame.finish(0, 0)
      return
    }
    const bits = this.#bits(plan, count, argumentsAt)
    const address = plan.resultByAddress ? bits.whole.getBigUint64(0, true) : undefined
    let loan: Loan | undefined
    const finish = (value: unknown): void => {
      if (frame.returned) return
      // the conversion may run code of the program's, and a callback of a call that this makes may return meanwhile
      const into = this.#result ?? new DataView(new ArrayBuffer(8))
      this.#result = undefined
      try {
        loan?.end()
        plan.encodeResult(value, into, core.context, address)
      } catch (error) {
        failed(error)
        return
      }
      this.#result = into
      frame.finish(into.getInt32(0, true), into.getInt32(4, true))
    }
    const failed = (error: unknown): void => {
      if (frame.returned) return
      this.#threw(error, frame)
      frame.finish(0, 0)
    }
    let value: unknown
    let isPending = false
    lane.around(frame)?.interrupted?.()
    try {
      const args = plan.decodeArguments(bits, core.context)
      const directives = callback.type[DIRECTIVES]
      if (directives) loan = core.lend(directives, callback.type, args)
      const inside = lane.blocking.isFor(frame.strand)
      value = frame.scope.run(callback.made, inside, () => callback.fn(...args))
      isPending = isPromise(value)
      if (isPending && inside)
        throw new ArgumentError(
          'a callback that is called inside a blocking call cannot be async: its promise would wait for this thread',
        )
      // what has a `then` need not be a promise: it may throw
      if (isPending) (value as Promise<unknown>).then(finish, failed)
    } catch (error) {
      failed(error)
      return
    }
    if (!isPending) {
      finish(value)
      return
    }
    frame.heldUp = () =>
      failed(
        new ArgumentError(
          'an async callback has waited for seconds for its thread, which a blocking call holds up, and the DLL got zero: await that call instead of using .sync',
        ),
      )
    if (lane.blocking.any) lane.blocking.watchHeldUp()
  }

  /** A copy of a callback's arguments, since the DLL may overwrite them. */
  #bits({ plain }: CallbackPlan, count: number, at: number): LocalBlock {
    const { u8, i32 } = this.core.mapping
    if (!plain || count > FEW) return new LocalBlock(u8.slice(at, at + 8 * count))
    for (let i = 0; i < 2 * count; i++) this.#fewWords[i] = i32[(at >> 2) + i]
    return this.#few
  }

  /** The call in which the callback happened fails with what it threw; outside of calls the session reports it. */
  #threw(thrown: unknown, frame: Frame): void {
    // a call fails with the very value that was thrown, unless that is falsy, which says that nothing was thrown
    const call = this.core.lane.around(frame)
    if (call) call.thrown ??= thrown ? (thrown as Error) : noError(thrown)
    else this.core.stray(isA(thrown, Error) || types.isNativeError(thrown) ? thrown : noError(thrown))
  }
}

const noError = (thrown: unknown) =>
  new ZugbrueckeError(`a callback threw ${describe(thrown)}, which is no error`, { cause: thrown })
const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
