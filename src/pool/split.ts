/** Cutting columns into pieces, and putting results together again. */

/** Some elements of a column, without a copy where it is a typed array. */
export function sliceColumn(column: unknown, first: number, count: number): unknown {
  if (Array.isArray(column)) return column.slice(first, first + count)
  return (column as { subarray(from: number, to: number): unknown }).subarray(first, first + count)
}

interface TypedArray {
  readonly length: number
  readonly constructor: new (length: number) => TypedArray
  set(from: TypedArray, at: number): void
}

/** Results in one: typed arrays into a typed array, arrays into an array; undefined for routines without a result. */
export function concatenate(parts: readonly unknown[]): unknown {
  const [first] = parts
  if (first === undefined) return undefined
  if (Array.isArray(first)) return (parts as unknown[][]).flat(1)
  const arrays = parts as TypedArray[]
  const whole = new arrays[0].constructor(arrays.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of arrays) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
