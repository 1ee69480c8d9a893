/**
 * The attributes of a routine, as in ctypes: argtypes, restype, errcheck; and memsync. Checks what is assigned to them,
 * and compiles them to a plan when the routine is first called.
 */
import { adapterOf } from '../../ctypes/adapters.js'
import type { CallPlan } from '../../ctypes/call-plan.js'
import { compilePlan } from '../../ctypes/compile-plan.js'
import type { Convention } from '../../ctypes/convention.js'
import { isType } from '../../ctypes/data.js'
import { isList } from '../../ctypes/given.js'
import type { Prototype } from '../../ctypes/header/index.js'
import type { ArgType, ResType } from '../../ctypes/inference.js'
import { checkMemsync, checkPaths, type Directive, type Memsync, type PathTypes } from '../../ctypes/memsync.js'
import { ArgumentError } from '../../errors.js'
import { checkExportName } from '../call/export-name.js'
import type { DllState } from '../core/dll-state.js'
import { MemsyncPlan } from '../memsync/memsync.js'
import type { ErrCheck, Routine } from './routine.js'
import type { SessionSurface } from './surface.js'

export abstract class RoutineAttributes {
  /** Its name in the DLL, or `#3` for an ordinal. */
  readonly name: string
  /** Names it in errors, with its DLL. */
  readonly label: string
  /** The routine as the program holds it. */
  routine: Routine | undefined
  /**
   * Whether types were given to `func`, or a prototype: then more arguments than declared are refused, unless it is
   * variadic.
   */
  strict = false
  /** Whether a prototype has declared it with `...`. */
  variadic = false
  convention: Convention
  /** The ordinal of a routine that is named by it; -1: it has a name. */
  protected readonly ordinal: number
  /** Replaces arguments by what `from_param` of their parameters makes of them, if any parameter has that. */
  protected adapt: ReturnType<typeof adapterOf>
  protected directives: readonly Directive[] | undefined
  #argtypes: readonly ArgType[] | undefined
  #restype: ResType
  #errcheck: ErrCheck | undefined
  #memsync: readonly Memsync[] | undefined
  /** The directives as a plan, checked against the present declaration. */
  #memsyncPlan: MemsyncPlan | undefined
  #plan: CallPlan | undefined

  /** Throws ArgumentError for a `target` that names no export. */
  constructor(
    readonly session: SessionSurface,
    readonly dll: DllState,
    target: string | number,
  ) {
    checkExportName('a routine', target)
    this.ordinal = typeof target === 'number' ? target : -1
    this.name = typeof target === 'number' ? `#${target}` : target
    this.label = `${dll.name}.${this.name}`
    this.convention = dll.kind === 'cdll' ? 'cdecl' : 'stdcall'
    const { c_int, HRESULT } = session.types
    this.#restype = dll.kind === 'oledll' ? HRESULT : c_int
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
    this.forget()
    this.adapt = types && adapterOf(types)
  }
  get restype(): ResType {
    return this.#restype
  }
  set restype(type: ResType) {
    this.#compile(this.#argtypes, this.#checkRestype(type))
    this.#restype = type
    this.forget()
  }
  /** Sets argtypes and restype, and has extra arguments refused from now on. Throws ArgumentError. */
  declareTyped(argtypes: readonly ArgType[] | null, restype: ResType = this.#restype): void {
    this.strict = true
    this.#argtypes = this.#checkArgtypes(argtypes)
    this.#restype = this.#checkRestype(restype)
    this.#plan = this.#compile(this.#argtypes, restype)
    this.adapt = this.#argtypes && adapterOf(this.#argtypes)
  }

  /** Sets all that a prototype declares; extra arguments are refused from now on, unless it has `...`. */
  declareAs({ argtypes, restype, variadic, convention, conventionStated }: Prototype): void {
    this.#argtypes = argtypes
    this.#restype = restype
    this.variadic = variadic
    this.strict = true
    if (conventionStated) this.convention = convention
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
  /** Calls errcheck: see RoutineSource. */
  check(value: unknown, args: readonly unknown[]): unknown {
    return (this.#errcheck as ErrCheck)(value, this.routine as Routine, args)
  }
  get memsync(): readonly Memsync[] | undefined {
    return this.#memsync
  }
  set memsync(given: readonly Memsync[] | undefined) {
    const directives = given === undefined ? undefined : checkMemsync(this.label, given)
    // unless strict, restype may still be the default, and be set later
    if (directives && this.#argtypes) checkPaths(directives, this.#pathTypes(this.strict ? this.#restype : undefined))
    this.#memsync = given
    this.directives = directives
    this.#memsyncPlan = undefined
  }

  /** The types that paths of memsync directives are checked against. */
  #pathTypes(restype: ResType | undefined): PathTypes {
    return {
      owner: this.label,
      arch: this.session.arch,
      argtypes: this.#argtypes,
      open: this.#isOpen,
      restype: restype === null || isType(restype) ? restype : undefined,
    }
  }

  /** The plan for these arguments. Throws ArgumentError. */
  protected planFor(args: readonly unknown[]): CallPlan {
    this.#plan ??= this.#compile(this.#argtypes, this.#restype)
    return this.#plan.specialize(args)
  }

  #compile(argtypes: readonly ArgType[] | undefined, restype: ResType): CallPlan {
    return compilePlan(this.session.arch, this.label, argtypes, restype, { variadic: this.#isOpen })
  }

  /** Whether extra arguments are passed on: as in ctypes for cdecl routines, unless they are strict. */
  get #isOpen(): boolean {
    return this.variadic || (!this.strict && this.dll.kind === 'cdll')
  }

  /** The directives as a plan. Throws ArgumentError if they do not fit the present declaration. */
  protected memsyncPlan(directives: readonly Directive[]): MemsyncPlan {
    this.#memsyncPlan ??= new MemsyncPlan(directives, this.#pathTypes(this.#restype))
    return this.#memsyncPlan
  }

  /** Called when types have changed: drops what was compiled from them. */
  protected forget(): void {
    this.#plan = undefined
    this.#memsyncPlan = undefined
  }
}
