/** `CFUNCTYPE` and `WINFUNCTYPE`: the types of function pointers, and JS functions as such. */
import { AsyncResource } from 'node:async_hooks'
import { ArgumentError } from '../errors.js'
import { type Block, type CallbackTarget, LocalBlock, type RemoteMemory } from './block.js'
import type { CallContext } from './context.js'
import type { Convention } from './convention.js'
import {
  ARCH,
  type Arch,
  CATEGORY,
  CData,
  type CType,
  describe,
  FOR_ARCH,
  isType,
  KIND,
  memoryOf,
  NESTING,
  pointerSizeOf,
  READ,
  type TypeStatics,
  VIEW,
  WRITE,
} from './data.js'
import { type CallbackVariable, FunctionPointer } from './function-pointer.js'
import type { Addressed, ArgOf, CallbackResult, io, ValueOf, ValuesOf, view } from './inference.js'
import { readAddress } from './integers.js'
import { checkedName, nestingOf } from './limits.js'
import { checkMemsync, checkPaths, type Directive, type Memsync } from './memsync.js'
import { toAddress } from './pointing.js'
import { checkSession, isCallbackTarget, isRemotePlace, readCell, refAt, writeCell } from './reference.js'

/** The JS function behind a callback; it may be async. */
export type CallbackFunction<R extends CType | null, A extends readonly CType[]> = (
  ...args: ValuesOf<A>
) => CallbackResult<R> | Promise<CallbackResult<R>>

/** A function of a DLL that a pointer leads to: it is called through the session of that DLL. */
export interface ForeignRoutine<R extends CType | null, A extends readonly CType[]> extends Addressed {
  (...args: { -readonly [K in keyof A]: ArgOf<A[K]> }): Promise<R extends CType ? ValueOf<R> : undefined>
  /** Blocks this thread until the function returns, and throws where the promise would reject. */
  sync(...args: { -readonly [K in keyof A]: ArgOf<A[K]> }): R extends CType ? ValueOf<R> : undefined
}

/** What a callback type makes of a JS function: good for any session, until it is disposed. */
export interface CallbackObject<R extends CType | null, A extends readonly CType[]> extends CallbackTarget, Disposable {
  readonly fn: CallbackFunction<R, A>
  readonly type: CallbackType<R, A>
  readonly disposed: boolean
  /** Gives its thunks back, one in each session that it was given to. A DLL that calls it from now on gets zero. */
  dispose(): void
}

/**
 * What `CFUNCTYPE` and `WINFUNCTYPE` give: a type of C function pointers. Called with a JavaScript function it makes a
 * callback, which a DLL may call from any of its threads; the function runs in the thread of JavaScript that made it.
 */
export interface CallbackType<R extends CType | null, A extends readonly CType[]> extends CallbackClass {
  (fn: CallbackFunction<R, A>): CallbackObject<R, A>
  new (fn: CallbackFunction<R, A>): CallbackObject<R, A>
  readonly prototype: CallbackObject<R, A>
  readonly convention: Convention
  readonly argtypes: A
  readonly restype: R
  /**
   * What lies behind pointer arguments that types do not tell the length of, as directives of memsync: the function gets it as memory of this
   * process, and what it changes there is written back when it returns. Throws ArgumentError for directives that do not fit the type.
   */
  get memsync(): readonly Memsync[] | undefined
  set memsync(directives: readonly Memsync[] | undefined)
  /** An object of it in memory, such as a data export. */
  readonly [view]: CallbackVariable<R, A>
  readonly [io]: {
    readonly get: CallbackObject<R, A> | ForeignRoutine<R, A> | null
    readonly set: CallbackFunction<R, A> | CallbackObject<R, A> | Addressed | null
    readonly arg: CallbackFunction<R, A> | CallbackObject<R, A> | Addressed | bigint | null
    readonly pointer: true
  }
}
/** A callback type as the library sees it. */
export interface CallbackClass<I extends object = object> extends TypeStatics<'callback', I> {
  readonly convention: Convention
  readonly argtypes: readonly CType[]
  readonly restype: CType | null
  readonly [ARCH]: Arch
  /** @internal */
  readonly [DIRECTIVES]: readonly Directive[] | undefined
}

/** As many arguments as the mailbox of a strand has room for, less one for where a structure as the result goes. */
export const MOST_PARAMETERS = 248

/** Of a callback type: the directives of its memsync, checked. */
export const DIRECTIVES: unique symbol = Symbol('directives')

const MEMSYNC: unique symbol = Symbol('memsync')
/** The memsync of a callback type, which its variant for the other architecture shares. */
interface SharedMemsync {
  given: readonly Memsync[] | undefined
  directives: readonly Directive[] | undefined
}

/** A JS function as a callback: one thunk for each session that it was given to. */
export class Callback implements CallbackTarget {
  readonly #thunks = new WeakMap<RemoteMemory, number>()
  readonly #disposers = new Map<RemoteMemory, () => void>()
  readonly #made = new AsyncResource('zugbruecke.Callback', { requireManualDestroy: true })
  #disposed = false
  constructor(
    readonly type: CallbackClass,
    readonly fn: (...args: unknown[]) => unknown,
  ) {}
  thunk(memory: RemoteMemory): number | undefined {
    if (this.#disposed) throw new ArgumentError('this callback is disposed')
    return this.#thunks.get(memory)
  }
  /** The asynchronous context in which it was made: its function runs in that. */
  get made(): AsyncResource {
    return this.#made
  }
  /** The session of this memory has made a thunk for it, which `dispose` gives back; that is called once at the most. */
  served(memory: RemoteMemory, thunk: number, dispose: () => void): void {
    this.#thunks.set(memory, thunk)
    this.#disposers.set(memory, dispose)
  }
  /** That session has ended. The address of its thunk stays known, for it may stand in objects. */
  outlived(memory: RemoteMemory): void {
    this.#disposers.delete(memory)
  }
  /** The session of this memory has given up the thunk. */
  left(memory: RemoteMemory): void {
    this.#thunks.delete(memory)
    this.#disposers.delete(memory)
  }
  get disposed(): boolean {
    return this.#disposed
  }
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const dispose of [...this.#disposers.values()]) dispose()
    this.#disposers.clear()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
  [Symbol.for('nodejs.util.inspect.custom')](
    _depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    return `${this.type.name} ${this.#disposed ? '(disposed) ' : ''}${inspect(this.fn, options)}`
  }
}

const WORDS: { readonly [convention in Convention]: string } = {
  cdecl: 'CFUNCTYPE',
  stdcall: 'WINFUNCTYPE',
  thiscall: '__thiscall',
  fastcall: '__fastcall',
}

/** A type of function pointers of any convention: those that headers have beside `CFUNCTYPE`'s and `WINFUNCTYPE`'s. Throws ArgumentError. */
export function callbackType(
  convention: Convention,
  restype: CType | null,
  argtypes: readonly CType[],
  arch: Arch = 'win64',
  shared: SharedMemsync = { given: undefined, directives: undefined },
): CallbackClass {
  const word = WORDS[convention]
  if (restype !== null && !isType(restype))
    throw new ArgumentError(`${word} takes a result type or null, not ${describe(restype)}`)
  if (restype?.[CATEGORY] === 'array')
    throw new ArgumentError(`${word}: C returns no arrays (${restype.name}): use POINTER(T)`)
  if (argtypes.length > MOST_PARAMETERS)
    throw new ArgumentError(`${word} takes at most ${MOST_PARAMETERS} parameters, not ${argtypes.length}`)
  for (const [i, type] of argtypes.entries())
    if (!isType(type)) throw new ArgumentError(`argument ${i + 1} of ${word} must be a C type, not ${describe(type)}`)
  const nesting = nestingOf(word, [restype, ...argtypes])
  const name = checkedName(
    word,
    `${word}(${[restype?.name ?? 'null', ...argtypes.map(({ name }) => name)].join(', ')})`,
  )
  // A plain function, since it is called without `new`.
  function type(this: unknown, fn: unknown): Callback {
    if (typeof fn !== 'function')
      throw new ArgumentError(`a callback is made from a function, not from ${describe(fn)}`)
    return new Callback(type as unknown as CallbackClass, fn as Callback['fn'])
  }
  Object.setPrototypeOf(type, CData)
  Object.defineProperties(type, {
    name: { value: name },
    prototype: { value: Callback.prototype },
    [VIEW]: { value: Object.create(FunctionPointer.prototype, { constructor: { value: type } }) },
    size: { value: pointerSizeOf(arch) },
    alignment: { value: pointerSizeOf(arch) },
    [CATEGORY]: { value: 'callback' },
    [KIND]: { value: 'p' },
    [NESTING]: { value: nesting },
    [ARCH]: { value: arch },
    [FOR_ARCH]: { value: forArch },
    convention: { value: convention },
    argtypes: { value: argtypes },
    restype: { value: restype },
    memsync: {
      get: () => shared.given,
      set(this: CallbackClass, given: readonly Memsync[] | undefined) {
        const directives = given === undefined ? undefined : checkMemsync(this.name, given, true)
        if (directives) checkPaths(directives, { owner: this.name, arch, argtypes, open: false, restype: undefined })
        shared.given = given
        shared.directives = directives
      },
    },
    [MEMSYNC]: { value: shared },
    [DIRECTIVES]: { get: () => shared.directives },
    [READ]: { value: readCallback },
    [WRITE]: { value: writeCallback },
  })
  return type as unknown as CallbackClass
}

const others = new WeakMap<CallbackClass, CallbackClass>()

/** The type for the other architecture. It is no `variant`, which extends its type: a class cannot be called without `new`, and this is. */
function forArch(this: CallbackClass & { readonly [MEMSYNC]: SharedMemsync }, arch: Arch): CallbackClass {
  if (this[ARCH] === arch) return this
  let other = others.get(this)
  if (!other) {
    other = callbackType(this.convention, this.restype, this.argtypes, arch, this[MEMSYNC])
    others.set(this, other)
    others.set(other, this)
  }
  return other
}

function readCallback(this: CallbackClass, block: Block, offset: number): unknown {
  const place = block instanceof LocalBlock && block.home ? readCell(block, offset, this.size) : undefined
  const ref = typeof place === 'object' && place ? place : refAt(block, offset)
  if (ref && isCallbackTarget(ref)) return ref
  const remote = ref && isRemotePlace(ref) ? ref : undefined
  const address = remote ? remote.block.addressAt(remote.offset) : readAddress(block, offset, this.size)
  if (address === 0n) return null
  const memory = memoryOf(remote?.block ?? block)
  return memory?.routineAt?.(address, this) ?? { address, memory, type: this }
}

function writeCallback(this: CallbackClass, block: Block, offset: number, value: unknown, context?: CallContext): void {
  writeCell(block, offset, this.size, callbackPlace(this, value, context))
}

/** Where a function pointer leads that is given as a callback, a function (which becomes one), an address or null. Throws ArgumentError. */
export function callbackPlace(type: CallbackClass, value: unknown, context?: CallContext) {
  if (value === null) return null
  if (value instanceof Callback) {
    if (!sameShape(value.type, type)) throw new ArgumentError(`expected ${type.name}, got a ${value.type.name}`)
    return value
  }
  if (typeof value === 'bigint') return toAddress(value, type[ARCH], type.name) || null
  if ((typeof value === 'object' || typeof value === 'function') && value !== null) {
    if ('thunk' in value) return value as CallbackTarget
    const { address, memory } = value as { address?: unknown; memory?: RemoteMemory }
    if (typeof address === 'bigint') {
      if (memory && context) checkSession(memory, context.memory)
      return toAddress(address, type[ARCH], type.name) || null
    }
  }
  if (typeof value !== 'function' || isType(value))
    throw new ArgumentError(`expected ${type.name} or a function, got ${describe(value)}`)
  const fn = value as Callback['fn']
  return context?.wrapCallback?.(type, fn) ?? new Callback(type, fn)
}

function sameShape(one: CallbackClass, other: CallbackClass): boolean {
  if (one === other) return true
  const same = (a: CType | null, b: CType | null) => a === b || (a !== null && b !== null && a.name === b.name)
  return (
    one.convention === other.convention &&
    same(one.restype, other.restype) &&
    one.argtypes.length === other.argtypes.length &&
    one.argtypes.every((type, i) => same(type, other.argtypes[i]))
  )
}

/**
 * The type of `cdecl` function pointers with this result, or `null` for none, and these parameters; 8 bytes (4 in 32-bit sessions). Throws
 * ArgumentError for what is no C type, and for more than 248 parameters.
 */
export function CFUNCTYPE<R extends CType | null, A extends readonly CType[]>(
  restype: R,
  ...argtypes: A
): CallbackType<R, A> {
  return callbackType('cdecl', restype, argtypes) as unknown as CallbackType<R, A>
}
/** The same for `stdcall`, as the Windows API has it; in 64 bits both are called alike. */
export function WINFUNCTYPE<R extends CType | null, A extends readonly CType[]>(
  restype: R,
  ...argtypes: A
): CallbackType<R, A> {
  return callbackType('stdcall', restype, argtypes) as unknown as CallbackType<R, A>
}
