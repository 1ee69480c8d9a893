/**
 * Types of another layout under the same name: pointers and `size_t` on 32-bit Windows, scalars in big-endian structures.
 * A variant extends its type, so `instanceof` and the user's own methods hold for both.
 */
import { ARCH, type Arch, type CType, FOR_ARCH, KIND, pointerSizeOf } from './data.js'

/** Of a scalar type: whether its bytes lie in the order of Windows, the least significant first. */
export const LITTLE: unique symbol = Symbol('little')
/** Are the bytes of a scalar in the order of networks? False for any other type. */
export const isBigEndian = (type: CType): boolean => (type as CType & { readonly [LITTLE]?: boolean })[LITTLE] === false

type Constructor = abstract new () => object
const variants = new WeakMap<CType, Map<string, CType>>()

/** The variant of `type` that `key` names, made once: a class of the same name with other statics. */
export function variant(type: CType, key: string, statics: PropertyDescriptorMap): CType {
  let known = variants.get(type)
  if (!known) variants.set(type, (known = new Map()))
  let other = known.get(key)
  if (!other) {
    const Base = type as unknown as Constructor
    other = class extends Base {} as unknown as CType
    Object.defineProperties(other, { name: { value: type.name, configurable: true }, ...statics })
    known.set(key, other)
  }
  return other
}

/** `[FOR_ARCH]` of types as wide as a pointer: that of win64 is the base, which its variant for win32 extends. */
export function pointerSizedForArch(this: CType, arch: Arch): CType {
  if (this[ARCH] === arch) return this
  const base = bases.get(this) ?? this
  if (base[ARCH] === arch) return base
  const size = pointerSizeOf(arch)
  const other = variant(base, arch, {
    size: { value: size },
    alignment: { value: size },
    [ARCH]: { value: arch },
    [FOR_ARCH]: { value: pointerSizedForArch },
    [KIND]: { value: { q: 'i', Q: 'I' }[base[KIND]] ?? base[KIND] },
  })
  bases.set(other, base)
  return other
}
/** Of each variant for win32: its base. */
const bases = new WeakMap<CType, CType>()

/** The type that the program named: the base of a variant for win32, any other type itself. */
export const baseOf = (type: CType): CType => bases.get(type) ?? type
