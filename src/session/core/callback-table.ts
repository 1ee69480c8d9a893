/**
 * The callbacks of one thread: their numbers, their thunks in the Windows process, and what happens when one is called.
 * A number carries its thread in the top byte, so that the worker knows whose event loop runs it.
 */

import type { Port } from '../../channel/exchange.js'
import type { Frame } from '../../channel/frame.js'
import { SharedWord } from '../../channel/shared.js'
import { numberOf } from '../../codec/control.js'
import { Convention, Op, RoutineFlag } from '../../codec/layout.js'
import { type CallbackTarget, LocalBlock } from '../../ctypes/block.js'
import { type CallbackPlan, callbackPlan } from '../../ctypes/callback-plan.js'
import { type Callback, DIRECTIVES } from '../../ctypes/callback-type.js'
import { ArgumentError, ZugbrueckeError } from '../../errors.js'
import type { Loan, SessionCore } from './core.js'

/** A thunk of a callback that lived for one call rests until so many others do: a DLL may still hold it. */
const REST = 64

/** Most callbacks have no more arguments than this. */
const FEW = 8

/** The Windows side still announces calls of so many disposed callbacks, which are reported then. */
const HEARD = 1024

interface Thunk {
  readonly number: number
  readonly address: number
}

interface BoundCallback {
  readonly callback: Callback
  readonly plan: CallbackPlan
}

export class CallbackTable {
  readonly #byNumber = new Map<number, BoundCallback>()
  /**
   * The port through which a callback's thunk has been asked for: a call inside a callback goes ahead of what waits
   * outside, and has to ask for itself.
   */
  readonly #asked = new Map<CallbackTarget, Port>()
  readonly #errors = new Map<CallbackTarget, Error>()
  /** By signature: thunks of callbacks that lived for one call. */
  readonly #spare = new Map<string, Thunk[]>()
  readonly #numbers = new Map<CallbackTarget, Thunk>()
  readonly #disposed: number[] = []
  /** Room for arguments that are plain values: these are read before anything else runs. */
  readonly #few = LocalBlock.allocate(8 * FEW)
  readonly #fewWords = new Int32Array(this.#few.bytes.buffer)
  /** Room for the bits of a result; undefined while a callback uses it. */
  #result: DataView | undefined = new DataView(new ArrayBuffer(8))

  constructor(private readonly core: SessionCore) {}

  /** Gets thunks for `callbacks`. True if all have one; false if the request has to wait for some. */
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
      if (this.#asked.get(callback) === port) {
        all = false
        continue
      }
      const plan = callbackPlan(callback.type, this.core.facts.arch)
      const spare = this.#spare.get(key(plan))
      if (spare && spare.length > REST) {
        this.#bind(callback, plan, spare.shift() as Thunk)
        continue
      }
      all = false
      this.#ask(callback, plan, port)
    }
    return all
  }

  /**
   * The address of a callback's thunk, which is made at once where it has none: for memory of the Windows process that
   * is to point to it.
   */
  now(target: CallbackTarget): number {
    const callback = target as Callback
    const { core } = this
    const known = callback.thunk(core.memory)
    if (known !== undefined) return known
    const plan = callbackPlan(callback.type, core.facts.arch)
    const number = this.#number()
    const outcome = core.control.requestSync(MAKING, Op.thunk, ...declaration(number, plan))
    const thunk = { number, address: Number(numberOf(outcome)) }
    // a thunk that was asked for before may have come meanwhile
    if (this.#numbers.has(callback)) this.#rest(thunk, plan)
    else this.#bind(callback, plan, thunk)
    return callback.thunk(core.memory) as number
  }

  /** To be called when a callback made for one call is not needed any more: its thunk rests, and is used again. */
  recycle(callback: Callback): void {
    const thunk = this.#forget(callback)
    if (!thunk) return
    this.#rest(thunk, callbackPlan(callback.type, this.core.facts.arch))
  }

  /** The session has ended: callbacks that the program keeps lead here no longer. */
  end(): void {
    for (const callback of this.#numbers.keys()) (callback as Callback).outlived(this.core.memory)
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
      // converting the result may run code of the program's, and that may make calls in which another callback returns
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
    let isLater = false
    lane.around(frame)?.interrupted?.()
    try {
      const args = plan.decodeArguments(bits, core.context)
      const directives = callback.type[DIRECTIVES]
      if (directives) loan = core.lend(directives, callback.type, args)
      const inside = lane.blocking.isFor(frame.strand)
      value = frame.scope.run(callback.made, inside, () => callback.fn(...args))
      isLater = isPromise(value)
      if (isLater && inside)
        throw new ArgumentError(
          'a callback that is called inside a blocking call cannot be async: its promise would wait for this thread',
        )
      // what has a `then` need not be a promise: it may throw
      if (isLater) (value as Promise<unknown>).then(finish, failed)
    } catch (error) {
      failed(error)
      return
    }
    if (!isLater) {
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

  /** A copy of a callback's arguments, for the DLL may overwrite them. */
  #bits({ plain }: CallbackPlan, count: number, at: number): LocalBlock {
    const { u8, i32 } = this.core.mapping
    if (!plain || count > FEW) return new LocalBlock(u8.slice(at, at + 8 * count))
    for (let i = 0; i < 2 * count; i++) this.#fewWords[i] = i32[(at >> 2) + i]
    return this.#few
  }

  /** The call in which the callback happened fails with what it threw; outside of calls the session reports it. */
  #threw(thrown: unknown, frame: Frame): void {
    // what is thrown need not be an error; `thrown` has to be something
    const error = thrown ? (thrown as Error) : new ZugbrueckeError(`a callback threw ${JSON.stringify(thrown)}`)
    const call = this.core.lane.around(frame)
    if (call) call.thrown ??= error
    else this.core.stray(error)
  }

  #rest(thunk: Thunk, plan: CallbackPlan): void {
    const spare = this.#spare.get(key(plan))
    if (spare) spare.push(thunk)
    else this.#spare.set(key(plan), [thunk])
  }

  #bind(callback: Callback, plan: CallbackPlan, thunk: Thunk): void {
    this.#numbers.set(callback, thunk)
    this.#byNumber.set(thunk.number, { callback, plan })
    callback.served(this.core.memory, thunk.address, () => this.#dispose(callback))
  }

  /** The program has disposed a callback: its thunk answers zero from now on. */
  #dispose(callback: Callback): void {
    const thunk = this.#forget(callback)
    if (!thunk) return
    // at first the thunk still announces calls and is answered zero, so that the session reports them; later the
    // Windows side answers without asking
    this.#disposed.push(thunk.number)
    if (this.#disposed.length <= HEARD) return
    this.core.control.discard('disposing of a callback', Op.freeThunk, [this.#disposed.shift() as number])
  }

  #forget(callback: Callback): Thunk | undefined {
    const thunk = this.#numbers.get(callback)
    if (!thunk) return undefined
    this.#numbers.delete(callback)
    this.#byNumber.delete(thunk.number)
    callback.left(this.core.memory)
    return thunk
  }

  /** A number for a new thunk. */
  #number(): number {
    // counted for all threads together: an earlier thread may have had this thread's number, and DLLs keep thunks
    return ((this.core.thread << 24) | (this.core.shared.next(SharedWord.callbackNumber) & 0xffffff)) >>> 0
  }

  #ask(callback: Callback, plan: CallbackPlan, port: Port): void {
    const number = this.#number()
    const exchange = this.core.control.exchange(
      MAKING,
      Op.thunk,
      ...declaration(number, plan),
      outcome => {
        if (this.#asked.get(callback) === port) this.#asked.delete(callback)
        const thunk = { number, address: Number(numberOf(outcome)) }
        // the callback may have a thunk by now, or be disposed
        if (this.#numbers.has(callback) || callback.disposed) this.#rest(thunk, plan)
        else this.#bind(callback, plan, thunk)
      },
      error => {
        if (this.#asked.get(callback) === port) this.#asked.delete(callback)
        this.#errors.set(callback, error)
      },
    )
    if (this.core.lane.sendFirst(exchange, port)) this.#asked.set(callback, port)
  }
}

const MAKING = 'making a callback'
const declaration = (number: number, plan: CallbackPlan) =>
  [
    [number, Convention[plan.convention], plan.resultByAddress ? RoutineFlag.resultByAddress : 0],
    [plan.signature, plan.result],
  ] as const
const key = (plan: CallbackPlan) => `${plan.convention}${plan.result}(${plan.signature})`
const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
