/**
 * The thunks of one thread's callbacks: functions of the Windows process that DLLs call, and that announce the call
 * here by a number. A number has its thread in the top byte, so that the host knows whose event loop runs the callback.
 */
import type { Port } from '../../channel/exchange.js'
import { SharedWord } from '../../channel/shared.js'
import { numberOf } from '../../codec/control.js'
import { Convention, Op, RoutineFlag } from '../../codec/layout.js'
import type { CallbackTarget } from '../../ctypes/block.js'
import { type CallbackPlan, callbackPlan } from '../../ctypes/callback-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import type { SessionCore } from './core.js'

/** A thunk that is not needed any more is used again once so many others rest: a DLL may still hold its address. */
const RESTING = 64

/** So many callbacks that are disposed keep their thunks, so that a call of one is reported. */
const REPORTED = 1024

interface Thunk {
  readonly number: number
  readonly address: number
}

/** A callback that has a thunk. */
interface BoundCallback {
  readonly callback: Callback
  readonly plan: CallbackPlan
}

/** Which callback has which thunk. */
export class Thunks {
  readonly #byNumber = new Map<number, BoundCallback>()
  readonly #byCallback = new Map<CallbackTarget, Thunk>()
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
  addressNow(target: CallbackTarget): number {
    const callback = target as Callback
    const { core } = this
    const known = callback.thunk(core.memory)
    if (known !== undefined) return known
    const plan = callbackPlan(callback.type, core.facts.arch)
    const number = this.#number()
    const outcome = core.control.requestSync(MAKING, Op.thunk, ...declaration(number, plan))
    const thunk = { number, address: Number(numberOf(outcome)) }
    // one that was requested before may have come meanwhile
    if (this.#byCallback.has(callback)) this.#rest(thunk, plan)
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

  /** The callback whose thunk has a number; undefined if it is disposed. */
  find(number: number): BoundCallback | undefined {
    return this.#byNumber.get(number)
  }

  /** The session has ended: callbacks that the program keeps have no thunk here any more. */
  end(): void {
    for (const callback of this.#byCallback.keys()) (callback as Callback).outlived(this.core.memory)
  }

  #rest(thunk: Thunk, plan: CallbackPlan): void {
    const resting = this.#resting.get(key(plan))
    if (resting) resting.push(thunk)
    else this.#resting.set(key(plan), [thunk])
  }

  #bind(callback: Callback, plan: CallbackPlan, thunk: Thunk): void {
    this.#byCallback.set(callback, thunk)
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
    const thunk = this.#byCallback.get(callback)
    if (!thunk) return undefined
    this.#byCallback.delete(callback)
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
        if (!isWanted || this.#byCallback.has(callback) || callback.disposed) this.#rest(thunk, plan)
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
const declaration = (number: number, plan: CallbackPlan) =>
  [
    [number, Convention[plan.convention], plan.resultByAddress ? RoutineFlag.resultByAddress : 0],
    [plan.signature, plan.result],
  ] as const
const key = (plan: CallbackPlan) => `${plan.convention}${plan.result}(${plan.signature})`
