// koffi in Windows Node on Wine: node.exe peer.cjs FOLDER_OF_KOFFI DLL ANSWERS
// Requests ("NAME SECONDS") come on standard input; answers are appended to a file, for Windows Node on Wine
// cannot have a pipe as its standard output.
const fs = require('node:fs')
const path = require('node:path')

const [, , folder, dll, answers] = process.argv
const answer = object => fs.appendFileSync(answers, `${JSON.stringify(object)}\n`)

const pixels = Int16Array.of(253, 252, 254, 252, 254, 239, 252, 246, 166)
const filtered = '-508,-247,-525,-249,-27,-282,-510,-312,-179'

function check(right, what) {
  if (!right) throw new Error(`${what} is wrong`)
}

function measures(koffi) {
  const lib = koffi.load(dll)
  koffi.struct('row', { x: 'double', y: 'double', z: 'double', id: 'int32_t', flags: 'int32_t', sum: 'int64_t' })
  koffi.struct('fields', {
    a: 'int8_t',
    b: 'uint8_t',
    c: 'int16_t',
    d: 'uint16_t',
    e: 'int32_t',
    f: 'uint32_t',
    g: 'int64_t',
    h: 'float',
    i: 'double',
    total: 'double',
  })
  koffi.struct('image', { data: 'int16_t *', width: 'int16_t', height: 'int16_t' })
  koffi.proto('int number_callback(int)')
  koffi.proto('int16_t section_callback(image *section)')

  return {
    add() {
      const add = lib.func('int add_int(int a, int b)')
      check(add(3, 4) === 7, 'add_int')
      return [() => add(3, 4), 1]
    },
    ten() {
      const double = lib.func('void double_floats(const float *in, _Out_ float *out, int n)')
      const given = Float32Array.from({ length: 10 }, (_, i) => i)
      const out = new Float32Array(10)
      double(given, out, 10)
      check(out[9] === 18, 'double_floats')
      return [() => double(given, out, 10), 1]
    },
    fields() {
      const sum = lib.func('void sum_fields(_Inout_ fields *f)')
      const value = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8.5, i: 9.5, total: 0 }
      sum(value)
      check(value.total === 46, 'sum_fields')
      return [() => sum(value), 1]
    },
    rows() {
      const step = lib.func('void step_row(_Inout_ row *r)')
      const rows = Array.from({ length: 1000 }, (_, i) => ({ x: i, y: i, z: 0, id: i, flags: 0, sum: 0 }))
      step(rows[1])
      check(rows[1].z === 2, 'step_row')
      const call = () => {
        for (const row of rows) step(row)
      }
      return [call, 1000]
    },
    work() {
      const iterate = lib.func('double iterate(double x, int steps)')
      check(iterate(0.5, 1) === 3.7 * 0.5 * 0.5, 'iterate')
      return [() => iterate(0.3, 500), 1]
    },
    doubles() {
      const negate = lib.func('void negate(_Inout_ double *a, int n)')
      const data = Float64Array.from({ length: 131072 }, (_, i) => i)
      negate(data, data.length)
      check(data[9] === -9, 'negate')
      return [() => negate(data, data.length), 1]
    },
    callback() {
      const many = lib.func('int64_t call_many(number_callback *callback, int n)')
      const twice = koffi.register(i => 2 * i, 'number_callback *')
      check(Number(many(twice, 10)) === 90, 'call_many')
      return [() => many(twice, 1000), 1000]
    },
    filter() {
      const filter = lib.func('void filter_image(image *in, image *out, section_callback *callback)')
      const edges = koffi.register(section => {
        const image = koffi.decode(section, 'image')
        const p = koffi.decode(image.data, 'int16_t', 9)
        return p[1] + p[3] - 4 * p[4] + p[5] + p[7]
      }, 'section_callback *')
      const out = new Int16Array(9)
      const call = () => filter({ data: pixels, width: 3, height: 3 }, { data: out, width: 3, height: 3 }, edges)
      call()
      check(out.join() === filtered, 'filter_image')
      return [call, 1]
    },
  }
}

function measure(call, inner, seconds) {
  let group = 1
  for (;;) {
    const start = performance.now()
    for (let i = 0; i < group; i++) call()
    const took = performance.now() - start
    if (took > seconds * 50 || took > 20) break
    group *= 2
  }
  let calls = 0
  const start = performance.now()
  let end = start
  do {
    for (let i = 0; i < group; i++) call()
    calls += group
    end = performance.now()
  } while (end - start < seconds * 1000)
  return { us_per_call: ((end - start) * 1000) / (calls * inner), calls: calls * inner }
}

try {
  const koffi = require(path.join(folder, 'koffi'))
  const known = measures(koffi)
  const prepared = new Map()
  answer({ ready: true, versions: { node: process.versions.node, koffi: koffi.version } })
  const chunk = Buffer.alloc(4096)
  let pending = ''
  for (;;) {
    let read = 0
    try {
      read = fs.readSync(0, chunk)
    } catch (error) {
      if (error.code !== 'EOF') throw error
    }
    if (read === 0) break
    pending += chunk.toString('latin1', 0, read)
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const [name, seconds] = pending.slice(0, end).trim().split(' ')
      pending = pending.slice(end + 1)
      try {
        if (!Object.hasOwn(known, name)) throw new Error('no such measure here')
        if (!prepared.has(name)) prepared.set(name, known[name]())
        answer({ name, ...measure(...prepared.get(name), Number(seconds)) })
      } catch (error) {
        answer({ name, missing: error.message })
      }
    }
  }
} catch (error) {
  answer({ ready: false, missing: error.stack })
}
