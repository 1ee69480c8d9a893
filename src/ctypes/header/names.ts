/** Names of types that a text need not define: the caller's, and those of wintypes, C and windows.h. */
import { pointerTarget, timed } from './builtin.js'
import type { Macro } from './macros.js'
import type { Arch, CType, TypeNamespace } from './namespace.js'
import { type Meaning, own, WindowsTypes } from './windows.js'

/** What macros say of the types of Microsoft's headers. */
export interface Variant {
  readonly unicode: boolean
  /** `time_t` has 32 bits. */
  readonly time32: boolean
}

export const variantOf = (macros: ReadonlyMap<string, Macro>): Variant => ({
  unicode: macros.has('UNICODE') || macros.has('_UNICODE'),
  time32: macros.has('_USE_32BIT_TIME_T'),
})

/** The names of types for one text. What windows.h defines is the same for all texts of a namespace. */
export class KnownNames {
  /** Structures of windows.h that this text uses. */
  readonly used = new Map<string, CType>()
  readonly #meanings = new Map<string, Meaning | undefined>()
  readonly #windows: WindowsTypes

  constructor(
    readonly ns: TypeNamespace,
    readonly arch: Arch,
    /** Types from elsewhere, such as those of another header. */
    readonly given: { readonly [name: string]: unknown },
    readonly variant: Variant,
  ) {
    this.#windows = WindowsTypes.of(ns, arch)
  }

  has = (name: string): boolean =>
    own(this.given, name) !== undefined ||
    this.#windows.has(this.#spelling(name)) ||
    pointerTarget(name, this.has) !== undefined

  get(name: string): Meaning | undefined {
    if (!this.#meanings.has(name)) {
      // a name that needs itself to be found is no type
      this.#meanings.set(name, undefined)
      this.#meanings.set(name, this.#find(name))
    }
    return this.#meanings.get(name)
  }

  #find(name: string): Meaning | undefined {
    const given = own(this.given, name)
    if (given) return { type: given }
    const known = this.#windows.get(this.#spelling(name))
    const structure = known && this.#windows.structure(known)
    if (structure) this.used.set(name, structure)
    if (known) return structure ? { type: structure } : known
    const target = pointerTarget(name, this.has)
    return target === undefined
      ? undefined
      : { node: { kind: 'pointer', to: { kind: 'named', name: target, at: { line: 1, column: 1 } } } }
  }

  /**
   * The name that a name stands for: with `UNICODE`, `LOGFONT` is `LOGFONTW` and `LPTSTR` is `LPWSTR`; without, those
   * in A and `LPSTR`. `_stat` is one of four.
   */
  #spelling(name: string): string {
    const { unicode, time32 } = this.variant
    const byTime = timed.get(name)
    if (byTime) return time32 ? byTime.bits32 : byTime.bits64
    if (!unicode) return name
    if (/^(?:TCHAR|TBYTE)$/.test(name)) return 'WCHAR'
    if (/^L?PC?TSTR$/.test(name)) return name.replace('T', 'W')
    const windows = this.#windows
    return windows.has(`${name}A`) && windows.has(`${name}W`) ? `${name}W` : name
  }
}
