/**
 * Where the fields of a structure lie, by the rules of Microsoft's compiler (mingw's `-mms-bitfields`): the same on both
 * architectures but for the size of pointers. Pure arithmetic; test/ctypes/layout.test.ts holds it against mingw.
 */

/** A field as far as its place depends on it. */
export interface LayoutField {
  readonly size: number
  readonly alignment: number
  /** Width, for a bit field; 0 ends the unit that is open. */
  readonly bits?: number | undefined
}
export interface LayoutOptions {
  readonly union: boolean
  readonly big?: boolean
  /** `#pragma pack(n)` */
  readonly pack?: number | undefined
  /** `__declspec(align(n))` */
  readonly align?: number | undefined
}
export interface FieldPlace {
  readonly offset: number
  /** Of a bit field: the first bit, counted from the least significant of its unit. */
  readonly bit: number
}
export interface Layout {
  readonly size: number
  readonly alignment: number
  readonly places: readonly FieldPlace[]
}

const roundUp = (value: number, to: number) => Math.ceil(value / to) * to

export function layOut(fields: readonly LayoutField[], options: LayoutOptions): Layout {
  const { union, pack = Number.POSITIVE_INFINITY } = options
  const places: FieldPlace[] = []
  let end = 0
  let alignment = 1
  /** The unit that takes further bit fields of the same size. */
  let unit: { offset: number; size: number; used: number } | undefined
  let size = 0
  for (const field of fields) {
    const own = Math.min(field.alignment, pack)
    const { bits } = field
    if (bits === 0) {
      // Without a bit field before it, or in a union, it means nothing to this compiler.
      if (unit && !union) {
        alignment = Math.max(alignment, own)
        end = roundUp(end, own)
      }
      unit = undefined
      places.push({ offset: end, bit: 0 })
      continue
    }
    alignment = Math.max(alignment, own)
    if (bits !== undefined && unit && !union && unit.size === field.size && unit.used + bits <= 8 * field.size) {
      places.push({ offset: unit.offset, bit: unit.used })
      unit.used += bits
      continue
    }
    const offset = union ? 0 : roundUp(end, own)
    places.push({ offset, bit: 0 })
    // In a union mingw counts the bytes that hold the bits, not the whole unit.
    end = offset + (union && !options.big && bits !== undefined ? Math.ceil(bits / 8) : field.size)
    size = Math.max(size, end)
    unit = bits === undefined ? undefined : { offset, size: field.size, used: bits }
  }
  size = Math.max(size, end)
  alignment = Math.max(alignment, options.align ?? 1)
  return { size: roundUp(size, alignment), alignment, places }
}
