/**
 * Makes the calls of a routine. The routine is declared on the Windows side once for each signature that it is called
 * with, by a request ahead of the first such call, which does not wait for the answer.
 */

import type { Lane } from '../../channel/lane.js'
import { EndReason } from '../../channel/shared.js'
import type { TimeLimit } from '../../channel/time-limit.js'
import { Convention as ConventionNumber, RoutineFlag } from '../../codec/layout.js'
import type { CallPlan } from '../../ctypes/call-plan.js'
import { type Prototype, parsePrototype } from '../../ctypes/header/index.js'
import type { Directive } from '../../ctypes/memsync.js'
import { RoutineNotFoundError } from '../../errors.js'
import { type BatchFunction, makeBatch } from '../batch/batch.js'
import { DeclaredRoutine, type RoutineSource } from '../call/declared-routine.js'
import { callDirect, NOT_DIRECT } from '../call/direct-call.js'
import { CallExchange, type FinishCall } from '../call/exchange.js'
import { checkSignal, startLimited, timeoutError } from '../call/limited-call.js'
import { notFound } from '../call/not-found.js'
import { AwaitedScalarCall, callBlocking } from '../call/scalar-call.js'
import type { SessionCore } from '../core/core.js'
import { BY_ADDRESS } from '../core/declarations.js'
import type { DllState } from '../core/dll-state.js'
import { coreForSync, whenUpWith } from '../core/owner.js'
import { runBlocking } from '../core/run-blocking.js'
import { failWith, filledError } from '../core/windows-error.js'
import { MemsyncCall } from '../memsync/memsync.js'
import type { CallDetail, CallOptions } from './routine.js'
import { RoutineAttributes } from './routine-attributes.js'
import type { SessionSurface } from './surface.js'

const submit = (lane: Lane, exchange: CallExchange) => lane.submit(exchange)
const submitBlocking = (lane: Lane, exchange: CallExchange) => lane.submit(exchange, true)
const submitSync = (lane: Lane, exchange: CallExchange) => lane.submitSync(exchange)

export class RoutineEngine extends RoutineAttributes implements RoutineSource {
  /** By plan. There are several if the routine is called with undeclared or variadic arguments of several types. */
  readonly #declared = new Map<CallPlan, DeclaredRoutine>()
  /** The declared routine of the last call: most routines are always called with the same signature. */
  #latest: DeclaredRoutine | undefined

  /**
   * `target` is the routine's name or ordinal; `address` is given for one that has neither, and then `target` is for
   * errors alone. Throws ArgumentError for a `target` that names no export.
   */
  constructor(
    session: SessionSurface,
    dll: DllState,
    target: string | number,
    private readonly address?: bigint,
  ) {
    super(session, dll, target)
  }

  /** The engine of a routine that a C prototype declares. Throws ArgumentError. */
  static fromPrototype(session: SessionSurface, dll: DllState, text: string): RoutineEngine {
    return RoutineEngine.fromParsed(session, dll, parsePrototype(text, session.arch, session.types as never))
  }

  /** The same for a prototype that has been read. */
  static fromParsed(session: SessionSurface, dll: DllState, prototype: Prototype): RoutineEngine {
    const engine = new RoutineEngine(session, dll, prototype.symbol ?? prototype.name)
    engine.declareAs(prototype)
    return engine
  }

  /** Makes a call; rejects with its error. */
  call(args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return whenUpWith(
      this.session,
      args,
      given => this.snapshot(given),
      (core, given) => this.#start(core, given, options),
    )
  }

  /** Makes a call that blocks this thread; throws. */
  callSync(args: readonly unknown[], options?: CallOptions): unknown {
    const core = coreForSync(this.session)
    if (options || this.directives || this.adapt || core.timeoutCall !== Number.POSITIVE_INFINITY)
      return this.#runSync(args, options).value
    try {
      const declared = this.declared(core, args)
      if (declared.isScalar) return callBlocking(core, declared, args)
      if (declared.isDirect) {
        const value = callDirect(core, declared, args)
        if (value !== NOT_DIRECT) return value
      }
    } catch (error) {
      throw filledError(core, error as Error)
    }
    return this.#runSync(args).value
  }

  /** A call that gives also the last error and errno that it left. */
  detail(args: readonly unknown[]): Promise<CallDetail<unknown>> {
    const begin = (core: SessionCore, given: readonly unknown[]) =>
      this.#startLimited(core, given, core.timeoutCall, undefined, (value, lastError, errno) => ({
        value,
        lastError,
        errno,
      }))
    return whenUpWith(this.session, args, given => this.snapshot(given), begin)
  }

  /** The same, blocking this thread; throws. */
  detailSync(args: readonly unknown[]): CallDetail<unknown> {
    return this.#runSync(args)
  }

  /** Copies arguments for a call that has to wait: see CallPlan. Throws ArgumentError. */
  snapshot(args: readonly unknown[]): readonly unknown[] {
    return this.planFor(args).snapshot(args)
  }

  /** `batch` of the routine. `blocking`: it blocks, as inside jobs. */
  batchFunction(blocking: boolean): BatchFunction<readonly unknown[], unknown> {
    return makeBatch(this, blocking)
  }

  /** The routine as it is declared for such arguments, which it requests if it is new. Throws ArgumentError. */
  declared(core: SessionCore, args: readonly unknown[]): DeclaredRoutine {
    const { error } = this.dll
    if (error) throw error
    const plan = this.planFor(args)
    let declared = this.#latest?.plan === plan ? this.#latest : this.#declared.get(plan)
    if (!declared || declared.declaration.request.isBehind) {
      declared = this.#request(core, plan)
      this.#declared.set(plan, declared)
    }
    this.#latest = declared
    return declared
  }

  /**
   * Declares a routine by its address before it is called, if it can be declared without arguments. Calls then go to
   * the code that is at the address now, or fail: they do not go to code of a DLL that is loaded there later.
   */
  declareNow(core: SessionCore): void {
    try {
      this.declared(core, [])
    } catch {
      // a call throws the same error
    }
  }

  #request(core: SessionCore, plan: CallPlan): DeclaredRoutine {
    const { dll, address } = this
    if (address === undefined) dll.request(core)
    if (dll.error) throw dll.error
    const flags =
      (this.keepsLastError ? RoutineFlag.lastError : 0) |
      (this.keepsErrno ? RoutineFlag.errno : 0) |
      (this.variadic ? RoutineFlag.variadic : 0) |
      (plan.resultByAddress ? RoutineFlag.resultByAddress : 0)
    const target = this.ordinal >= 0 ? this.ordinal : this.name
    const description = {
      dll: address === undefined ? dll.number : BY_ADDRESS,
      name: this.ordinal >= 0 || address !== undefined ? '' : this.name,
      target: address ?? this.ordinal,
      convention: ConventionNumber[this.convention],
      flags,
      arguments: plan.signature,
      result: plan.result,
      texts: plan.texts,
    }
    const declaration = core.declarations.get(this.label, description, error =>
      error instanceof RoutineNotFoundError ? notFound(dll, target, this.session.toUnix(dll.path) ?? dll.unix) : error,
    )
    return new DeclaredRoutine(this, core, plan, declaration)
  }

  protected override forget(): void {
    super.forget()
    this.#declared.clear()
    this.#latest = undefined
  }

  /** Makes the exchange and hands it to the lane. Errors go to `done`. */
  #submit(
    core: SessionCore,
    given: readonly unknown[],
    done: FinishCall,
    send: (lane: Lane, exchange: CallExchange) => void = submit,
  ): CallExchange | undefined {
    try {
      const args = this.adapt ? this.adapt(given) : given
      const exchange = this.directives
        ? this.#memsyncExchange(core, args, this.directives, done)
        : new CallExchange(core, this.declared(core, args), args, done)
      send(core.lane, exchange)
      return exchange
    } catch (error) {
      done(error as Error, undefined, 0, 0)
      return undefined
    }
  }

  #memsyncExchange(
    core: SessionCore,
    args: readonly unknown[],
    directives: readonly Directive[],
    done: FinishCall,
  ): CallExchange {
    const plan = this.memsyncPlan(directives)
    const converted = plan.convert(args)
    const call = new MemsyncCall(this.declared(core, converted), plan, core, converted)
    return new CallExchange(core, call, converted, done)
  }

  #start(core: SessionCore, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    const timeout = options?.timeout ?? core.timeoutCall
    const signal = options?.signal
    if (timeout !== Number.POSITIVE_INFINITY || signal)
      return this.#startLimited(core, args, timeout, signal, value => value)
    return new Promise((resolve, reject) => {
      try {
        const declared = this.directives || this.adapt ? undefined : this.declared(core, args)
        if (declared?.isScalar) new AwaitedScalarCall(core, declared, args, resolve, reject).submit(core.lane)
        else this.#submit(core, args, (error, value) => (error ? failWith(core, error, reject) : resolve(value)))
      } catch (error) {
        failWith(core, error as Error, reject)
      }
    })
  }

  #startLimited<T>(
    core: SessionCore,
    args: readonly unknown[],
    timeout: number,
    signal: AbortSignal | undefined,
    result: (value: unknown, lastError: number, errno: number) => T,
  ): Promise<T> {
    return startLimited(core, this.label, timeout, signal, done => this.#submit(core, args, done), result)
  }

  #runSync(args: readonly unknown[], options?: CallOptions): CallDetail<unknown> {
    const core = coreForSync(this.session)
    const timeout = options?.timeout ?? core.timeoutCall
    checkSignal(this.label, options?.signal)
    let limit: TimeLimit | undefined
    try {
      return runBlocking<CallDetail<unknown>>(core, finish => {
        const done: FinishCall = (error, value, lastError, errno) => finish(error, { value, lastError, errno })
        if (timeout === Number.POSITIVE_INFINITY) return this.#submit(core, args, done, submitSync)
        const exchange = this.#submit(core, args, done, submitBlocking)
        limit = core.limit(timeout, () => {
          const late = timeoutError(this.label, timeout, 'its session has been ended')
          finish(late)
          core.kill(EndReason.timeout, late)
          return undefined
        })
        return exchange
      })
    } catch (error) {
      throw filledError(core, error as Error)
    } finally {
      limit?.end()
    }
  }
}
