/**
 * The callbacks of one thread: their numbers, their thunks in the Windows process, and what happens when one is called.
 * A number carries its thread in the top byte, so that the worker knows whose event loop runs it.
 */

import { types } from 'node:util'
import type { Port } from '../../channel/exchange.js'
import type { Frame } from '../../channel/frame.js'
import { SharedWord } from '../../channel/shared.js'
import { numberOf } from '../../codec/control.js'
import { Convention, Op, RoutineFlag } from '../../codec/layout.js'
import { type CallbackTarget, LocalBlock } from '../../ctypes/block.js'
import { type CallbackPlan, callbackPlan } from '../../ctypes/callback-plan.js'
import { type Callback, DIRECTIVES } from '../../ctypes/callback-type.js'
import { describe } from '../../ctypes/data.js'
import { isA } from '../../ctypes/given.js'
import { ArgumentError, ZugbrueckeError } from '../../errors.js'
import type { Loan, SessionCore } from './core.js'

/** A thunk that is not needed any more is used again once so many others rest: a DLL may still hold its address. */
const RESTING = 64

/** Arguments for which there is room that is used again and again: most callbacks have no more. */
const FEW = 8

/** So many callbacks that are disposed keep their thunks, so that a call of one is reported. */
const REPORTED = 1024

/** A function of the Windows process that DLLs call; it announces the call here by its number. */
interface Thunk {
  readonly number: number
  readonly address: number
}

/** A callback that has a thunk. */
interface BoundCallback {
  readonly callback: Callback
  readonly plan: CallbackPlan
}

export class CallbackTable {
  readonly #byNumber = new Map<number, BoundCallback>()
  readonly #thunks = new Map<CallbackTarget, Thunk>()
  /**
   * Callbacks whose thunks are requested, with the port of the request. A call on another port requests one for itself:
   * inside a callback it is carried out ahead of requests from outside.
   */
  readonly #requests = new Map<CallbackTarget, Port>()
  /** Why a requested thunk could not be made: for the call that waits for it. */
  readonly #errors = new Map<CallbackTarget, Error>()
  /** By signature: thunks that no callback has. */
  readonly #resting = new Map<string, Thunk[]>()
  /** Numbers of thunks of callbacks that are disposed, the oldest first. */
  readonly #disposed: number[] = []
  /** Room for arguments that are plain values: they are read before another callback can use it. */
  readonly #few = LocalBlock.allocate(8 * FEW)
  readonly #fewWords = new Int32Array(this.#few.bytes.buffer)
  /** Room for the bits of a result; undefined while a callback uses it. */
  #result: DataView | undefined = new DataView(new ArrayBuffer(8))

  constructor(private readonly core: SessionCore) {}

  /**
   * Gets thunks for callbacks that a request on `port` names. True if all have one; false if the request has to wait
   * for some. Throws if one could not be made.
   */
  provide(callbacks: readonly CallbackTarget[], port: Port): boolean {
    let all = true
    for (const target of callbacks) {
      const callback = target as Callback
      const failure = this.#errors.get(callback)
      if (failure) {
        this.#errors.delete(callback)
        throw failure
      }
      if (callback.thunk(this.core.memory) !== undefined) continue
      if (this.#requests.get(callback) === port) {
        all = false
        continue
      }
      const plan = callbackPlan(callback.type, this.core.facts.arch)
      const resting = this.#resting.get(key(plan))
      if (resting && resting.length > RESTING) {
        this.#bind(callback, plan, resting.shift() as Thunk)
        continue
      }
      all = false
      this.#request(callback, plan, port)
    }
    return all
  }

  /**
   * The address of a callback's thunk, for memory of the Windows process that is to point to it. Makes a thunk at once
   * where there is none, which blocks this thread.
   */
  thunkNow(target: CallbackTarget): number {
    const callback = target as Callback
    const { core } = this
    const known = callback.thunk(core.memory)
    if (known !== undefined) return known
    const plan = callbackPlan(callback.type, core.facts.arch)
    const number = this.#number()
    const outcome = core.control.requestSync(MAKING, Op.thunk, ...declaration(number, plan))
    const thunk = { number, address: Number(numberOf(outcome)) }
    // one that was requested before may have come meanwhile
    if (this.#thunks.has(callback)) this.#rest(thunk, plan)
    else this.#bind(callback, plan, thunk)
    return callback.thunk(core.memory) as number
  }

  /** To be called when a callback made for one call is not needed any more: its thunk may serve another one. */
  recycle(callback: Callback): void {
    this.#requests.delete(callback)
    this.#errors.delete(callback)
    const thunk = this.#forget(callback)
    if (!thunk) return
    this.#rest(thunk, callbackPlan(callback.type, this.core.facts.arch))
  }

  /** The session has ended: callbacks that the program keeps have no thunk here any more. */
  end(): void {
    for (const callback of this.#thunks.keys()) (callback as Callback).outlived(this.core.memory)
  }

  /** Runs the callback that the host announces. Called by the lane. */
  readonly run = (frame: Frame, number: number, count: number, argumentsAt: number): void => {
    const bound = this.#byNumber.get(number)
    const { core } = this
    const { lane } = core
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
    // a call fails with the very value that was thrown, unless that is falsy, as if nothing had been thrown
    const call = this.core.lane.around(frame)
    if (call) call.thrown ??= thrown ? (thrown as Error) : noError(thrown)
    else this.core.stray(isA(thrown, Error) || types.isNativeError(thrown) ? thrown : noError(thrown))
  }

  #rest(thunk: Thunk, plan: CallbackPlan): void {
    const resting = this.#resting.get(key(plan))
    if (resting) resting.push(thunk)
    else this.#resting.set(key(plan), [thunk])
  }

  #bind(callback: Callback, plan: CallbackPlan, thunk: Thunk): void {
    this.#thunks.set(callback, thunk)
    this.#byNumber.set(thunk.number, { callback, plan })
    callback.served(this.core.memory, thunk.address, () => this.#dispose(callback))
  }

  /** The program has disposed a callback: its thunk answers zero from now on. */
  #dispose(callback: Callback): void {
    const thunk = this.#forget(callback)
    if (!thunk) return
    // for a while the thunk goes on to announce calls, which are reported and answered with zero; then the Windows side
    // answers them by itself
    this.#disposed.push(thunk.number)
    if (this.#disposed.length <= REPORTED) return
    this.core.control.discard('disposing of a callback', Op.freeThunk, [this.#disposed.shift() as number])
  }

  #forget(callback: Callback): Thunk | undefined {
    const thunk = this.#thunks.get(callback)
    if (!thunk) return undefined
    this.#thunks.delete(callback)
    this.#byNumber.delete(thunk.number)
    callback.left(this.core.memory)
    return thunk
  }

  /** A number for a new thunk. */
  #number(): number {
    // counted over all threads of the session: an earlier thread may have had this one's number, and DLLs keep its
    // thunks
    return ((this.core.thread << 24) | (this.core.shared.next(SharedWord.callbackNumber) & 0xffffff)) >>> 0
  }

  #request(callback: Callback, plan: CallbackPlan, port: Port): void {
    const number = this.#number()
    const exchange = this.core.control.exchange(
      MAKING,
      Op.thunk,
      ...declaration(number, plan),
      outcome => {
        const isWanted = this.#endRequest(callback, port)
        const thunk = { number, address: Number(numberOf(outcome)) }
        // the callback may have a thunk by now, or be disposed
        if (!isWanted || this.#thunks.has(callback) || callback.disposed) this.#rest(thunk, plan)
        else this.#bind(callback, plan, thunk)
      },
      error => {
        if (this.#endRequest(callback, port)) this.#errors.set(callback, error)
      },
    )
    if (this.core.lane.sendFirst(exchange, port)) this.#requests.set(callback, port)
  }

  /**
   * The request on `port` is answered. False if no call wants the callback any more: the one that it was made for has
   * ended.
   */
  #endRequest(callback: Callback, port: Port): boolean {
    const latest = this.#requests.get(callback)
    if (latest === port) this.#requests.delete(callback)
    return latest !== undefined
  }
}

const MAKING = 'making a callback'
const noError = (thrown: unknown) =>
  new ZugbrueckeError(`a callback threw ${describe(thrown)}, which is no error`, { cause: thrown })
const declaration = (number: number, plan: CallbackPlan) =>
  [
    [number, Convention[plan.convention], plan.resultByAddress ? RoutineFlag.resultByAddress : 0],
    [plan.signature, plan.result],
  ] as const
const key = (plan: CallbackPlan) => `${plan.convention}${plan.result}(${plan.signature})`
const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
