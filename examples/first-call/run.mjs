// Calls routines of three DLLs, says what each should give, and how long a call takes.
// From a clone: npm run first-call
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  byref,
  CFUNCTYPE,
  CtypesSession,
  c_double,
  c_int,
  c_ulong,
  c_wchar_p,
  create_string_buffer,
  create_unicode_buffer,
  POINTER,
  Structure,
} from 'zugbruecke'

let wrong = 0
function show(call, got, wanted) {
  const right = got === wanted
  if (!right) wrong++
  const text = typeof got === 'string' ? JSON.stringify(got) : String(got)
  console.log(`  ${right ? 'ok   ' : 'WRONG'} ${call.padEnd(44)} ${text}${right ? '' : `, not ${wanted}`}`)
}

const begun = performance.now()
const session = await CtypesSession.start()
console.log(
  `Session up after ${(performance.now() - begun).toFixed(0)} ms: Linux process ${session.pid}, Windows inside.\n`,
)

console.log('kernel32.dll, of Wine:')
const { kernel32 } = session.windll
const text = create_unicode_buffer(1024)
await kernel32.func('GetCurrentDirectoryW', [c_ulong, c_wchar_p], c_ulong)(text.length, text)
show('GetCurrentDirectoryW: this folder', text.value, `Z:${process.cwd().replaceAll('/', '\\')}`)
await kernel32.func('BOOL GetComputerNameW(wchar_t *buffer, DWORD *size)')(text, new Uint32Array([text.length]))
show('GetComputerNameW: this machine', text.value.toLowerCase(), hostname().slice(0, 15).toLowerCase())
show('GetCurrentProcessId: a Windows number', typeof (await kernel32.GetCurrentProcessId()), 'number')

console.log('\nmsvcrt.dll, the C library of Windows:')
const { msvcrt } = session.cdll
show('pow(2, 10)', await msvcrt.func('double pow(double, double)')(2, 10), 1024)
show('_wtoi("1234")', await msvcrt._wtoi('1234'), 1234)
show('strlen("Zugbrücke"), bytes of UTF-8', await msvcrt.func('size_t strlen(const char *)')('Zugbrücke'), 10n)

console.log('\ndemo.dll, built from examples/demo.c:')
const path = fileURLToPath(new URL('../build/demo.dll', import.meta.url))
const demo = await session.cdll.LoadLibrary(path)
const add = demo.func('add', [c_int, c_int], c_int)
show('add(3, 4)', await add(3, 4), 7)
show('add.sync(3, 4)', add.sync(3, 4), 7)
show(
  'mean(Float64Array [1, 2, 6], 3)',
  await demo.func('double mean(double *, int)')(new Float64Array([1, 2, 6]), 3),
  3,
)
class Point extends Structure({ x: c_double, y: c_double }) {}
const point = new Point({ x: 1, y: 2 })
await demo.func('move', [POINTER(Point), c_double, c_double], null)(byref(point), 10, 20)
show('move(&point, 10, 20): point', JSON.stringify(point), '{"x":11,"y":22}')
const buffer = create_string_buffer(32)
await demo.func('int label(char *buffer, size_t size, const char *name, int n)')(buffer, buffer.length, 'bridge', 5)
show('label(buffer, 32, "bridge", 5): buffer', buffer.value, 'bridge no. 5')
const f = CFUNCTYPE(c_double, c_double)
const zero = await demo.func('find_zero', [f, c_double, c_double], c_double)(x => x * x - 2, 0, 2)
show('find_zero(x => x * x - 2, 0, 2)', zero.toFixed(12), Math.SQRT2.toFixed(12))
await session.terminate()

console.log('\nHow long a call of add takes here (the median of many):')
// in a session of its own: one that has been given a callback has to listen for it, and is slower
const timed = await CtypesSession.start()
const timedAdd = (await timed.cdll.LoadLibrary(path)).func('add', [c_int, c_int], c_int)
const median = times => times.sort((a, b) => a - b)[times.length >> 1]
async function time(what, calls, act) {
  const times = []
  // half a second at least: before that V8 has not compiled what is called a few thousand times
  for (const end = performance.now() + 500; times.length < 7 || performance.now() < end; ) {
    const from = performance.now()
    await act()
    times.push(((performance.now() - from) * 1000) / calls)
  }
  const each = median(times)
  const words = each >= 1 ? `${each.toFixed(1).padStart(8)} µs` : `${(each * 1000).toFixed(1).padStart(8)} ns`
  console.log(`  ${words}  ${what}`)
}
await time('add.sync(i, 7), one after the other', 3000, () => {
  for (let i = 0; i < 3000; i++) timedAdd.sync(i, 7)
})
await time('await add(i, 7), one after the other', 3000, async () => {
  for (let i = 0; i < 3000; i++) await timedAdd(i, 7)
})
await time('add(i, 7), a thousand at once', 1000, () =>
  Promise.all(Array.from({ length: 1000 }, (_, i) => timedAdd(i, 7))),
)
const xs = Int32Array.from({ length: 100_000 }, (_, i) => i)
await time('add.batch([xs, 7]), a hundred thousand rows', xs.length, () => timedAdd.batch([xs, 7]))

await timed.terminate()
console.log(wrong === 0 ? '\nAll as it should be.' : `\n${wrong} wrong.`)
process.exitCode = wrong === 0 ? 0 : 1
