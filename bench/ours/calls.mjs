/**
 * The calls whose cost is measured, for anyone who holds a synchronous DLL: a job, or the caller's thread by way of `.sync`.
 * Each makes sure once that its result is right. Plain JavaScript, for jobs run no TypeScript.
 */
const {
  CFUNCTYPE,
  c_double,
  c_float,
  c_int,
  c_int8,
  c_int16,
  c_int32,
  c_int64,
  c_uint8,
  c_uint16,
  c_uint32,
  POINTER,
  Structure,
} = await import(process.env.ZUGBRUECKE_ARCH === 'win32' ? 'zugbruecke/win32' : 'zugbruecke')

export class Fields extends Structure({
  a: c_int8,
  b: c_uint8,
  c: c_int16,
  d: c_uint16,
  e: c_int32,
  f: c_uint32,
  g: c_int64,
  h: c_float,
  i: c_double,
  total: c_double,
}) {}

export class Row extends Structure({
  x: c_double,
  y: c_double,
  z: c_double,
  id: c_int32,
  flags: c_int32,
  sum: c_int64,
}) {}

export class Image extends Structure({ data: POINTER(c_int16), width: c_int16, height: c_int16 }) {}

export const NumberCallback = CFUNCTYPE(c_int, c_int)
export const SectionCallback = CFUNCTYPE(c_int16, POINTER(Image))

export const DOUBLES = 131072 // 1 MiB
const CALLBACKS = 1000
const PIXELS = [253, 252, 254, 252, 254, 239, 252, 246, 166]
const FILTERED = [-508, -247, -525, -249, -27, -282, -510, -312, -179]

function check(right, what) {
  if (!right) throw new Error(`${what} is wrong`)
}

export function edges(section) {
  const p = section.contents.data.slice(9)
  return p[1] + p[3] - 4 * p[4] + p[5] + p[7]
}

/** @param routine makes what is called from a routine: itself in a job, its `.sync` in the caller's thread */
export const CALLS = {
  add(dll, routine) {
    const add = routine(dll.func('add_int', [c_int, c_int], c_int))
    check(add(3, 4) === 7, 'add_int')
    // in groups, for the clock takes a tenth of a microsecond itself
    return {
      inner: 10,
      call() {
        for (let i = 0; i < 10; i++) add(i, 4)
      },
    }
  },
  ten(dll, routine) {
    const double = routine(dll.func('double_floats', [POINTER(c_float), POINTER(c_float), c_int], null))
    const given = Float32Array.from({ length: 10 }, (_, i) => i)
    const out = new Float32Array(10)
    double(given, out, 10)
    check(out[9] === 18, 'double_floats')
    return { inner: 1, call: () => double(given, out, 10) }
  },
  fields(dll, routine) {
    const sum = routine(dll.func('sum_fields', [POINTER(Fields)], null))
    const value = new Fields({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7n, h: 8.5, i: 9.5, total: 0 })
    sum(value)
    check(value.total === 46, 'sum_fields')
    return { inner: 1, call: () => sum(value) }
  },
  doubles(dll, routine) {
    const negate = routine(dll.func('negate', [POINTER(c_double), c_int], null))
    const data = Float64Array.from({ length: DOUBLES }, (_, i) => i)
    negate(data, DOUBLES)
    check(data[9] === -9, 'negate')
    return { inner: 1, call: () => negate(data, DOUBLES) }
  },
  callback(dll, routine) {
    const many = routine(dll.func('call_many', [NumberCallback, c_int], c_int64))
    const twice = NumberCallback(i => 2 * i)
    check(many(twice, 10) === 90n, 'call_many')
    return { inner: CALLBACKS, call: () => many(twice, CALLBACKS), release: () => twice.dispose?.() }
  },
  filter(dll, routine) {
    const filter = routine(dll.func('filter_image', [POINTER(Image), POINTER(Image), SectionCallback], null))
    const callback = SectionCallback(edges)
    const data = Int16Array.from(PIXELS)
    const filtered = new Int16Array(9)
    const given = new Image({ data, width: 3, height: 3 })
    const out = new Image({ data: filtered, width: 3, height: 3 })
    filter(given, out, callback)
    check(filtered.join() === FILTERED.join(), 'filter_image')
    return { inner: 1, call: () => filter(given, out, callback), release: () => callback.dispose?.() }
  },
}

export function prepare(_session, dll, name, routine = made => made) {
  return CALLS[name](dll, routine)
}
