// One routine over columns of data. From a clone, after `npm run first-call`: node examples/batch.mjs
import { fileURLToPath } from 'node:url'
import { CtypesSession, c_double, c_int, out, POINTER, Structure } from 'zugbruecke'

const session = await CtypesSession.start()
const demo = await session.cdll.LoadLibrary(fileURLToPath(new URL('build/demo.dll', import.meta.url)))

// Two columns and one value for all rows.
const add = demo.func('add', [c_int, c_int], c_int)
const prices = new Int32Array([100, 250, 75])
console.log('add', await add.batch([prices, 20]))

// A column of structures is changed in place: row i is given the address of element i.
class Point extends Structure({ x: c_double, y: c_double }) {}
const corners = new (Point.array(3))({ x: 0, y: 0 }, { x: 4, y: 0 }, { x: 4, y: 3 })
const move = demo.func('move', [POINTER(Point), c_double, c_double], null)
await move.batch([corners, 1, new Float64Array([10, 20, 30])])
console.log('move', JSON.stringify(corners))

// An out parameter comes back as a column behind the results.
const between = demo.func('between', [Point, Point, out(Point)], c_double)
const [squares, middles] = await between.batch([[...corners], new Point(1, 10)])
console.log('between', squares, JSON.stringify(middles))

// Progress of something longer.
const collatz = demo.func('collatz', [c_int], c_int)
const many = Int32Array.from({ length: 50_000 }, (_, i) => i + 1)
let last = 0
const steps = await collatz.batch([many], {
  onProgress: done => {
    last = done
  },
})
console.log('collatz', `longest of ${last} rows: ${Math.max(...steps.subarray(0, 10_000))} steps`)

// Work larger than memory: a few sets of columns are under way at once, and no more.
function* sets() {
  for (let first = 1; first <= 5; first++) yield [Int32Array.from({ length: 10_000 }, (_, i) => first * 10_000 + i)]
}
let sum = 0
for await (const results of collatz.batch.stream(sets())) for (const n of results) sum += n
console.log('stream', sum)

await session.terminate()
