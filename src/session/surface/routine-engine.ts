/**
 * What stands behind a routine: its declaration, the plans compiled from it, and the making of its calls. A routine is declared
 * on the Windows side once for each signature it is called with, ahead of the first such call and without waiting for it.
 */

import type { Lane } from '../../channel/lane.js'
import { EndReason } from '../../channel/shared.js'
import type { TimeLimit } from '../../channel/time-limit.js'
import { Convention as ConventionNumber, RoutineFlag } from '../../codec/layout.js'
import { adapterOf, type CallPlan, compilePlan } from '../../ctypes/call-plan.js'
import type { Convention } from '../../ctypes/convention.js'
import { isType } from '../../ctypes/data.js'
import { isList } from '../../ctypes/given.js'
import { type Prototype, parsePrototype } from '../../ctypes/header/index.js'
import type { ArgType, ResType } from '../../ctypes/inference.js'
import { checkMemsync, checkPaths, type Directive, type Memsync, type Shape } from '../../ctypes/memsync.js'
import { ArgumentError, RoutineNotFoundError } from '../../errors.js'
import { type BatchFunction, makeBatch } from '../batch/batch.js'
import { DeclaredRoutine, type RoutineSource } from '../call/declared-routine.js'
import { callDirect, NOT_DIRECT } from '../call/direct-call.js'
import { CallExchange, type Settle } from '../call/exchange.js'
import { checkExportName } from '../call/export-name.js'
import { checkSignal, startLimited, timeoutError } from '../call/limited-call.js'
import { notFound } from '../call/not-found.js'
import { AwaitedScalarCall, callBlocking } from '../call/scalar-call.js'
import { blocked } from '../core/blocked.js'
import type { SessionCore } from '../core/core.js'
import { BY_ADDRESS } from '../core/declarations.js'
import type { DllState } from '../core/dll-state.js'
import { coreForSync, whenUpWith } from '../core/owner.js'
import { failWith, filledError } from '../core/windows-error.js'
import { MemsyncCall, MemsyncPlan } from '../memsync/memsync.js'
import type { CallDetail, CallOptions, ErrCheck, Routine } from './routine.js'
import type { SessionSurface } from './surface.js'

const submit = (lane: Lane, exchange: CallExchange) => lane.submit(exchange)
const submitBlocking = (lane: Lane, exchange: CallExchange) => lane.submit(exchange, true)
const submitSync = (lane: Lane, exchange: CallExchange) => lane.submitSync(exchange)

export class RoutineEngine implements RoutineSource {
  readonly name: string
  readonly label: string
  routine: Routine | undefined
  /** Extra arguments are refused: declared the typed way, or by a prototype without `...`. */
  strict = false
  variadic = false
  convention: Convention
  readonly #ordinal: number
  #argtypes: readonly ArgType[] | undefined
  /** Runs the `from_param` of adapters. */
  #adapt: ReturnType<typeof adapterOf>
  #restype: ResType
  #errcheck: ErrCheck | undefined
  #memsync: readonly Memsync[] | undefined
  #directives: readonly Directive[] | undefined
  /** The directives, checked against the declaration as it is. */
  #memsyncPlan: MemsyncPlan | undefined
  #plan: CallPlan | undefined
  /** By the plan of the arguments that a call has; one plan unless they are undeclared or variadic. */
  readonly #declared = new Map<CallPlan, DeclaredRoutine>()
  /** What was called last: most routines are always called alike. */
  #latest: DeclaredRoutine | undefined

  constructor(
    readonly session: SessionSurface,
    readonly dll: DllState,
    target: string | number,
    /** For a routine that is known by its address alone. */
    private readonly address?: bigint,
  ) {
    checkExportName('a routine', target)
    this.#ordinal = typeof target === 'number' ? target : -1
    this.name = typeof target === 'number' ? `#${target}` : target
    this.label = `${dll.name}.${this.name}`
    this.convention = dll.kind === 'cdll' ? 'cdecl' : 'stdcall'
    const { c_int, HRESULT } = session.types
    this.#restype = dll.kind === 'oledll' ? HRESULT : c_int
  }

  static fromPrototype(session: SessionSurface, dll: DllState, text: string): RoutineEngine {
    return RoutineEngine.fromParsed(session, dll, parsePrototype(text, session.arch, session.types as never))
  }

  static fromParsed(session: SessionSurface, dll: DllState, prototype: Prototype): RoutineEngine {
    const engine = new RoutineEngine(session, dll, prototype.symbol ?? prototype.name)
    engine.#argtypes = prototype.argtypes
    engine.#restype = prototype.restype
    engine.variadic = prototype.variadic
    engine.strict = true
    if (prototype.conventionStated) engine.convention = prototype.convention
    return engine
  }

  get keepsLastError(): boolean {
    return this.dll.options.use_last_error === true
  }
  get keepsErrno(): boolean {
    return this.dll.options.use_errno === true
  }

  get argtypes(): readonly ArgType[] | undefined {
    return this.#argtypes
  }
  set argtypes(given: readonly ArgType[] | null | undefined) {
    const types = this.#checkArgtypes(given)
    if (types) this.#compile(types, this.#restype)
    this.#argtypes = types
    this.#forget()
    this.#adapt = types && adapterOf(types)
  }
  get restype(): ResType {
    return this.#restype
  }
  set restype(type: ResType) {
    this.#compile(this.#argtypes, this.#checkRestype(type))
    this.#restype = type
    this.#forget()
  }
  /** As both setters, and then what goes beyond the types is refused. */
  declareTyped(argtypes: readonly ArgType[] | null, restype: ResType = this.#restype): void {
    this.strict = true
    this.#argtypes = this.#checkArgtypes(argtypes)
    this.#restype = this.#checkRestype(restype)
    this.#plan = this.#compile(this.#argtypes, restype)
    this.#adapt = this.#argtypes && adapterOf(this.#argtypes)
  }

  #checkArgtypes(given: readonly ArgType[] | null | undefined): readonly ArgType[] | undefined {
    if (given !== undefined && given !== null && !isList(given))
      throw new ArgumentError(`${this.label}: argtypes is an array of types, or undefined`)
    return given ?? undefined
  }

  #checkRestype(type: ResType): ResType {
    if (type !== null && typeof type !== 'function')
      throw new ArgumentError(`${this.label}: restype is a type, null, or a function of the int result`)
    return type
  }

  get errcheck(): ErrCheck | undefined {
    return this.#errcheck
  }
  set errcheck(given: ErrCheck | null | undefined) {
    const check = given ?? undefined
    if (check !== undefined && typeof check !== 'function')
      throw new ArgumentError(`${this.label}: errcheck is a function, or undefined`)
    this.#errcheck = check
  }
  get isChecked(): boolean {
    return this.#errcheck !== undefined && this.routine !== undefined
  }
  check(value: unknown, args: readonly unknown[]): unknown {
    return (this.#errcheck as ErrCheck)(value, this.routine as Routine, args)
  }
  get memsync(): readonly Memsync[] | undefined {
    return this.#memsync
  }
  set memsync(given: readonly Memsync[] | undefined) {
    const directives = given === undefined ? undefined : checkMemsync(this.label, given)
    // the result's type may still be ctypes' default, which means nothing
    if (directives && this.#argtypes) checkPaths(directives, this.#shape(this.strict ? this.#restype : undefined))
    this.#memsync = given
    this.#directives = directives
    this.#memsyncPlan = undefined
  }

  /** What the paths of memsync lead through. */
  #shape(restype: ResType | undefined): Shape {
    return {
      owner: this.label,
      arch: this.session.arch,
      argtypes: this.#argtypes,
      open: this.#isOpen,
      restype: restype === null || isType(restype) ? restype : undefined,
    }
  }

  call(args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return whenUpWith(
      this.session,
      args,
      taken => this.snapshot(taken),
      (core, taken) => this.#start(core, taken, options),
    )
  }

  callSync(args: readonly unknown[], options?: CallOptions): unknown {
    const core = coreForSync(this.session)
    if (options || this.#directives || this.#adapt || core.timeoutCall !== Number.POSITIVE_INFINITY)
      return this.#runSync(args, options).value
    try {
      const declared = this.declared(core, args)
      if (declared.small) return callBlocking(core, declared, args)
      if (declared.direct) {
        const value = callDirect(core, declared, args)
        if (value !== NOT_DIRECT) return value
      }
    } catch (error) {
      throw filledError(core, error as Error)
    }
    return this.#runSync(args).value
  }

  detail(args: readonly unknown[]): Promise<CallDetail<unknown>> {
    const begin = (core: SessionCore, given: readonly unknown[]) =>
      this.#startLimited(core, given, core.timeoutCall, undefined, (value, lastError, errno) => ({
        value,
        lastError,
        errno,
      }))
    return whenUpWith(this.session, args, given => this.snapshot(given), begin)
  }

  /** The arguments for a call that has to wait: see CallPlan. Throws ArgumentError. */
  snapshot(args: readonly unknown[]): readonly unknown[] {
    return this.#planFor(args).snapshot(args)
  }

  detailSync(args: readonly unknown[]): CallDetail<unknown> {
    return this.#runSync(args)
  }

  batchFunction(blocking: boolean): BatchFunction<readonly unknown[], unknown> {
    return makeBatch(this, blocking)
  }

  /** The routine declared for these arguments; asks the Windows side to declare it when it is new. Throws ArgumentError. */
  declared(core: SessionCore, args: readonly unknown[]): DeclaredRoutine {
    const { error } = this.dll
    if (error) throw error
    const plan = this.#planFor(args)
    let declared = this.#latest?.plan === plan ? this.#latest : this.#declared.get(plan)
    if (!declared || declared.declaration.request.isBehind) {
      declared = this.#request(core, plan)
      this.#declared.set(plan, declared)
    }
    this.#latest = declared
    return declared
  }

  /** Has it declared before it is called, if that can be: what lies at its address then is what is called later, or nothing. */
  declareNow(core: SessionCore): void {
    try {
      this.declared(core, [])
    } catch {
      // the call says it
    }
  }

  #planFor(args: readonly unknown[]): CallPlan {
    this.#plan ??= this.#compile(this.#argtypes, this.#restype)
    return this.#plan.specialize(args)
  }

  #compile(argtypes: readonly ArgType[] | undefined, restype: ResType): CallPlan {
    return compilePlan(this.session.arch, this.label, argtypes, restype, { variadic: this.#isOpen })
  }

  /** ctypes passes on what goes beyond argtypes, for cdecl routines declared its way. */
  get #isOpen(): boolean {
    return this.variadic || (!this.strict && this.dll.kind === 'cdll')
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
    const target = this.#ordinal >= 0 ? this.#ordinal : this.name
    const signature = {
      dll: address === undefined ? dll.number : BY_ADDRESS,
      name: this.#ordinal >= 0 || address !== undefined ? '' : this.name,
      target: address ?? this.#ordinal,
      convention: ConventionNumber[this.convention],
      flags,
      arguments: plan.signature,
      result: plan.result,
      texts: plan.texts,
    }
    const declaration = core.declarations.get(this.label, signature, error =>
      error instanceof RoutineNotFoundError ? notFound(dll, target, this.session.toUnix(dll.path) ?? dll.unix) : error,
    )
    return new DeclaredRoutine(this, core, plan, declaration)
  }

  #forget(): void {
    this.#plan = undefined
    this.#memsyncPlan = undefined
    this.#declared.clear()
    this.#latest = undefined
  }

  /** Makes the exchange and hands it to the lane; what is wrong goes to `done`. */
  #submit(
    core: SessionCore,
    given: readonly unknown[],
    done: Settle,
    send: (lane: Lane, exchange: CallExchange) => void = submit,
  ): CallExchange | undefined {
    try {
      const args = this.#adapt ? this.#adapt(given) : given
      const exchange = this.#directives
        ? this.#synced(core, args, this.#directives, done)
        : new CallExchange(core, this.declared(core, args), args, done)
      send(core.lane, exchange)
      return exchange
    } catch (error) {
      done(error as Error, undefined, 0, 0)
      return undefined
    }
  }

  #synced(core: SessionCore, args: readonly unknown[], directives: readonly Directive[], done: Settle): CallExchange {
    this.#memsyncPlan ??= new MemsyncPlan(directives, this.#shape(this.#restype))
    const converted = this.#memsyncPlan.convert(args)
    const call = new MemsyncCall(this.declared(core, converted), this.#memsyncPlan, core, converted)
    return new CallExchange(core, call, converted, done)
  }

  #start(core: SessionCore, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    const timeout = options?.timeout ?? core.timeoutCall
    const signal = options?.signal
    if (timeout !== Number.POSITIVE_INFINITY || signal)
      return this.#startLimited(core, args, timeout, signal, value => value)
    return new Promise((resolve, reject) => {
      try {
        const declared = this.#directives || this.#adapt ? undefined : this.declared(core, args)
        if (declared?.small) new AwaitedScalarCall(core, declared, args, resolve, reject).submit(core.lane)
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
      return blocked<CallDetail<unknown>>(core, finish => {
        const done: Settle = (error, value, lastError, errno) => finish(error, { value, lastError, errno })
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
