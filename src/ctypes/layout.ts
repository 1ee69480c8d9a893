/**
 * Where the fields of a structure lie: the rules of Microsoft's compiler, as its reference has them (the articles on storage of structures,
 * on C bit fields, on `pack` and on `align`). They are the same on both architectures but for the size of pointers. All sizes, offsets and
 * alignments are in bytes. test/ctypes/layout.test.ts holds this against gcc for mingw (`-mms-bitfields`), which differs in two things. For
 * a bit field in a union it counts the bytes that the bits fill, and aligns the union for it; Microsoft's compiler counts the whole
 * integer, and aligns the union for its other members alone. And it lets `pack` lessen the alignment that `align` asks for.
 */

/** A field as far as its place depends on it. */
interface LayoutField {
  readonly size: number
  readonly alignment: number
  /** The least alignment, by `__declspec(align(n))` of the field, or of what its type is made of; 1 for most. */
  readonly required: number
  /** Width in bits, for a bit field; 0 ends the unit that takes the bit fields before it. */
  readonly bits?: number | undefined
}
interface LayoutOptions {
  readonly union: boolean
  /** `#pragma pack(n)`: no field is aligned to more, unless it is required. */
  readonly pack?: number | undefined
  /** `__declspec(align(n))`: the whole structure is aligned to no less. */
  readonly align?: number | undefined
  /** Indices of the fields with which a derived class goes on: these begin behind all of its base, padding included. */
  readonly starts?: readonly number[]
}
interface FieldPlace {
  readonly offset: number
  /** Of a bit field: how many bits of its integer lie before it. */
  readonly bit: number
}
interface Layout {
  readonly size: number
  readonly alignment: number
  readonly places: readonly FieldPlace[]
}

const roundUp = (value: number, to: number) => Math.ceil(value / to) * to

/** Lays out the fields of a structure or union, in order. */
export function layOut(fields: readonly LayoutField[], options: LayoutOptions): Layout {
  const { union, pack = Number.POSITIVE_INFINITY, align = 1, starts } = options
  const places: FieldPlace[] = []
  let end = 0
  let size = 0
  let alignment = align
  /** The integer that has room for further bit fields, of types of its own size. */
  let unit: { offset: number; size: number; used: number } | undefined
  for (const [index, field] of fields.entries()) {
    const own = Math.max(Math.min(field.alignment, pack), field.required)
    const { bits } = field
    if (starts?.includes(index)) {
      end = roundUp(end, alignment)
      unit = undefined
    }
    if (bits === 0) {
      // it has an effect behind another bit field only
      if (unit && union) size = Math.max(size, field.size)
      else if (unit) {
        alignment = Math.max(alignment, own)
        end = roundUp(end, own)
      }
      unit = undefined
      places.push({ offset: end, bit: 0 })
      continue
    }
    if (bits === undefined || !union) alignment = Math.max(alignment, own)
    if (bits !== undefined && unit && !union && unit.size === field.size && unit.used + bits <= 8 * field.size) {
      places.push({ offset: unit.offset, bit: unit.used })
      unit.used += bits
      continue
    }
    const offset = union ? 0 : roundUp(end, own)
    places.push({ offset, bit: 0 })
    end = offset + field.size
    size = Math.max(size, end)
    unit = bits === undefined ? undefined : { offset, size: field.size, used: bits }
  }
  size = Math.max(size, end)
  return { size: roundUp(size, alignment), alignment, places }
}
