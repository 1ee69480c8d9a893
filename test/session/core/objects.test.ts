/** Objects that live where both sides see them: one memory, one address, for as long as JS can reach them. */
import { deepStrictEqual } from 'node:assert'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel, Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  addressof,
  CtypesSession,
  c_char,
  c_double,
  c_int,
  c_longlong,
  c_ubyte,
  c_uint,
  c_ulonglong,
  c_ushort,
  create_string_buffer,
  type Library,
  type Pointer,
  plain,
  resize,
  SessionPool,
  SessionTerminatedError,
} from 'zugbruecke'
import { live, RIGHT } from '../life/jobs/objects.mjs'
import { dll, full, rejects, sessionSuite, sleep, throws, until } from '../support.js'
import { byref, CFUNCTYPE, c_char_p, c_void_p, c_wchar_p, cast, POINTER, pointer, Structure, sizeof } from '../types.js'

class Job extends Structure({ n: c_int, stop: c_int }) {}
class Progress extends Structure({ done: c_int, abort: c_int }) {}
class Stream extends Structure({
  next_in: POINTER(c_ubyte),
  avail_in: c_uint,
  next_out: POINTER(c_ubyte),
  avail_out: c_uint,
  name: c_char_p,
  state: c_void_p,
}) {}
class Node extends Structure({ value: c_int }) {
  declare next: Pointer<typeof Node> | null
  static {
    Node.define({ next: POINTER(Node) })
  }
}
class Texts extends Structure({ narrow: c_char_p, wide: c_wchar_p, numbers: POINTER(c_int) }) {}
class Blob extends Structure({ count: c_uint, values: c_uint.array(1) }) {}

const test = sessionSuite('objects that live on both sides')
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(dll('state'))
})

/** A routine by both of its faces. */
const faces = <A extends unknown[], R>(routine: ((...args: A) => Promise<R>) & { sync(...args: A): R }) => [
  routine,
  async (...args: A) => routine.sync(...args),
]
setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const Visit = CFUNCTYPE(null, c_int, c_void_p)
const Step = CFUNCTYPE(null, c_int)

test('what a callback writes the routine sees, and the other way round', async () => {
  const halt = lib.func('halt', [POINTER(Job)], null)
  for (const each of faces(lib.func('each', [c_int, Visit, c_void_p], null))) {
    const job = new Job()
    await each(5, () => void job.n++, byref(job))
    assert.is(job.n, 5)
  }
  for (const loop of faces(lib.func('loop', [POINTER(Job), Step], c_int))) {
    const [set, nested] = [new Job(), new Job()]
    const seen: number[] = []
    const result = await loop(byref(set), i => {
      seen.push(set.n - i)
      if (i === 10) set.stop = 1
    })
    assert.equal([result, set.n, new Set(seen)], [11, 11, new Set([0])])
    // a call inside the callback works on the same object
    assert.is(await loop(byref(nested), i => void (i === 10 && halt.sync(byref(nested)))), 11)
    assert.is(nested.stop, 1)
  }
  const job = new Job()
  const loop = lib.func('loop', [POINTER(Job), CFUNCTYPE(null, c_int)], c_int)
  assert.is(await loop(byref(job), async i => void (i === 3 && (await halt(byref(job))))), 4)
})

test('the same and more by awaited calls and by blocking ones, in a job, and from a thread that has joined', async ({
  session,
}) => {
  for (const isAwaited of [true, false]) assert.equal(await live(session, dll('state'), isAwaited), RIGHT)
  const pool = await SessionPool.start({ size: 1 })
  try {
    assert.equal(await pool.run(new URL('../life/jobs/objects.mjs', import.meta.url), dll('state')), RIGHT)
  } finally {
    await pool.close()
  }
  const port = session.port()
  const worker = new Worker(new URL('joined-objects.mjs', import.meta.url), {
    workerData: { port, dll: dll('state') },
    transferList: [port],
  })
  const told = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.equal(told, [RIGHT, RIGHT])
  await worker.terminate()
})

test('a library that remembers the address of a structure knows it again', async () => {
  const open = lib.func('stream_open', [POINTER(Stream)], c_int)
  const step = lib.func('stream_step', [POINTER(Stream)], c_int)
  const stream = new Stream()
  await open(byref(stream))
  const add = lib.func('add_one', [POINTER(c_int)], null)
  for (let i = 0; i < 10_000; i++) {
    const number = new c_int(i)
    add.sync(byref(number))
    if (number.value !== i + 1) assert.unreachable(`${number.value} is not ${i + 1}`)
  }
  const input = Buffer.from('Hello')
  const output = new Uint8Array(8)
  stream.next_in = input as never
  stream.avail_in = input.length
  stream.next_out = output as never
  stream.avail_out = output.length
  assert.is(await step(byref(stream)), 0)
  assert.equal([...output], [...Buffer.from('hELLO\0\0\0')])
  // where the DLL has left it the pointer leads into the same memory
  assert.equal([stream.avail_out, (stream.next_out as Pointer<typeof c_ubyte> | null)?.slice(3)], [3, [0, 0, 0]])
  stream.next_in = Buffer.from('XYZ') as never
  stream.avail_in = 3
  assert.is(step.sync(byref(stream)), 0)
  assert.equal([...output], [...Buffer.from('hELLOxyz')])
  await lib.func('stream_close', [POINTER(Stream)], c_int)(byref(stream))
  assert.is(stream.state, null)
})

test('a progress number is read, and an abort flag set, while a long call runs', async () => {
  const work = lib.func('work', [POINTER(Progress), c_int], c_int)
  const progress = new Progress()
  const working = work(byref(progress), 1_000_000)
  await until(() => progress.done > 5, 'progress')
  progress.abort = 1
  assert.is(await working, progress.done)
})

test('the same from another thread of the program', async ({ session }) => {
  const progress = session.memory.place(new Progress())
  const port = session.port()
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { CtypesSession, Structure, POINTER, byref, addressof, c_int } from 'zugbruecke'
    const session = await CtypesSession.attach(workerData.port)
    const { Structure: Own } = session.types
    class Progress extends Own({ done: c_int, abort: c_int }) {}
    const there = session.memory.at(Progress, workerData.address)
    while (there.done < 5) await new Promise(resolve => setTimeout(resolve, 1))
    there.abort = 1
    const mine = new Progress({ done: 3 })
    const lib = session.CDLL(workerData.dll)
    const result = await lib.func('work', [session.types.POINTER(Progress), c_int], c_int)(byref(mine), 8)
    parentPort.postMessage([there.abort, result, mine.done, addressof(mine) !== workerData.address])`
  const resolved = source.replace("'zugbruecke'", `'${import.meta.resolve('zugbruecke')}'`)
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved)}`), {
    workerData: { port, address: addressof(progress), dll: dll('state') },
    transferList: [port],
  })
  const told = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  await lib.func('work', [POINTER(Progress), c_int], c_int)(byref(progress), 1_000_000)
  assert.equal(await told, [1, 8, 8, true])
  await worker.terminate()
})

test('the same in a job, from outside of it', async () => {
  const pool = await SessionPool.start({ size: 1 })
  try {
    const session = await pool.use(borrowed => borrowed)
    const mailbox = session.memory.place(new c_ulonglong())
    const input = { path: dll('state'), mailbox: addressof(mailbox) }
    const working = pool.run(new URL('../life/jobs/progress.mjs', import.meta.url), input)
    await until(() => mailbox.value !== 0n, 'the job')
    const progress = session.memory.at(Progress, mailbox.value)
    await until(() => progress.done > 5, 'progress')
    progress.abort = 1
    assert.is(await working, progress.done)
  } finally {
    await pool.close()
  }
})

test('a buffer that a thread of the DLL fills after the call is filled', async ({ session }) => {
  const start = lib.func('camera_start', [POINTER(c_ushort), c_int, c_int], null)
  const wait = lib.func('camera_wait', [], null)
  const object = new (c_ushort.array(5000))()
  await start(object, 5000, 50)
  await wait()
  assert.equal([object[4], object[4999]], [4, 4999])
  const array = session.memory.array(Uint16Array, 5000)
  await start(array, 5000, 50)
  await wait()
  assert.equal([array[4], array[4999]], [4, 4999])
})

test('a late write never lands in the memory of another call', async () => {
  const start = lib.func('camera_start', [POINTER(c_ushort), c_int, c_int], null)
  const wait = lib.func('camera_wait', [], null)
  const hold = lib.func('hold', [POINTER(c_ubyte), c_int, c_int], c_int)
  for (const size of [16, 1000, 40_000]) {
    await start(new Uint16Array(size), size, 60)
    for (let i = 0; i < 20; i++) {
      const bytes = new Uint8Array(2 * size).fill(7)
      assert.is(await hold(bytes, bytes.length, i === 19 ? 100 : 0), 0)
      assert.ok(bytes.every(byte => byte === 7))
    }
    await wait()
  }
})

test('addresses are real: of objects, of pointers, of what pointers in objects lead to', async ({ session }) => {
  const address = lib.func('address_of', [c_void_p], c_longlong)
  const job = new Job({ n: 4, stop: 5 })
  throws(() => addressof(job), ArgumentError, 'session.memory.place')
  assert.is(session.memory.place(job), job)
  assert.is(await address(byref(job)), addressof(job))
  assert.is(await address(byref(job, 4)), addressof(job) + 4n)
  assert.is(pointer(job).address, addressof(job))
  assert.is(session.memory.at(c_int, addressof(job) + 4n).value, 5)
  session.memory.at(Job, addressof(job)).stop = 6
  assert.is(job.stop, 6)
  assert.is(cast(byref(job, 4), POINTER(c_int)).contents.value, 6)
  assert.is(session.cast(addressof(job), POINTER(Job)).contents.n, 4)
  const node = session.memory.place(new Node({ value: 1, next: new Node({ value: 2 }) } as never))
  assert.is(node.next?.address, addressof(node.next?.contents as Node))
  const keep = lib.func('keep_int', [POINTER(c_int)], POINTER(c_int))
  const number = new c_int(7)
  assert.is((await keep(byref(number)))?.address, addressof(number))
  await lib.func('write_kept', [c_int], null)(8)
  assert.is(number.value, 8)
  number.value = 9
  assert.is(await lib.func('read_kept', [], c_int)(), 9)
})

test('what is stored in a field stays valid until the field changes', async () => {
  const lengths = lib.func('lengths', [POINTER(Texts)], c_int)
  const texts = new Texts({ narrow: 'abc' })
  assert.is(await lengths(byref(texts)), 3)
  texts.wide = 'wörld'
  assert.is(lengths.sync(byref(texts)), 503)
  texts.narrow = null
  assert.is(await lengths(byref(texts)), 500)
  assert.equal([texts.narrow, texts.wide], [null, 'wörld'])
  const first = lib.func('first_number', [POINTER(Texts)], c_int)
  const twice = lib.func('double_numbers', [POINTER(Texts), c_int], null)
  const mine = Int32Array.of(1, 2, 3)
  texts.numbers = mine as never
  assert.is(await first(byref(texts)), 1)
  mine[0] = 10
  assert.is(await first(byref(texts)), 10)
  await twice(byref(texts), 3)
  assert.equal([...mine], [20, 4, 6])
  texts.numbers = [5, 6] as never
  assert.is(first.sync(byref(texts)), 5)
  const own = new (c_int.array(2))(8, 9)
  texts.numbers = own as never
  twice.sync(byref(texts), 2)
  assert.equal([...own], [16, 18])
})

test('a list of three thousand nodes is followed, turned round, and given back as the objects that it is made of', async () => {
  const count = 3000
  const nodes = Array.from({ length: count }, (_, value) => new Node({ value }))
  for (let i = 1; i < count; i++) nodes[i - 1].next = pointer(nodes[i])
  assert.is(
    await lib.func('sum_nodes', [POINTER(Node)], c_longlong)(byref(nodes[0])),
    BigInt((count * (count - 1)) / 2),
  )
  const head = await lib.func('turn_round', [POINTER(Node)], POINTER(Node))(byref(nodes[0]))
  assert.is(head?.contents.value, count - 1)
  let at = head
  for (let i = count - 1; i >= 0; i--, at = at.contents.next) {
    if (!at) throw new Error(`the list ends at ${i}`)
    if (at.contents.value !== i) assert.unreachable(`${at.contents.value} is not ${i}`)
    at.contents.value = -i
  }
  assert.is(nodes[7].value, -7)
})

test('an array of memory.array is worked on in place by calls and batches', async ({ session }) => {
  const scale = lib.func('scale', [POINTER(c_double), c_int, c_double], c_double)
  const numbers = session.memory.array(Float64Array, 3)
  assert.instance(numbers, Float64Array)
  numbers.set([1, 2, 3])
  assert.is(await scale(numbers, 3, 2), 12)
  assert.equal([...numbers], [2, 4, 6])
  assert.is(scale.sync(numbers.subarray(1), 2, 10), 100)
  assert.equal([...numbers], [2, 40, 60])
  const address = lib.func('address_of', [c_void_p], c_longlong)
  assert.is((await address(numbers.subarray(1))) - (await address(numbers)), 8n)
  assert.equal([...(await lib.func('twice', [c_double], c_double).batch([numbers]))], [4, 80, 120])
  const ints = session.memory.array(c_int, 4)
  ints[2] = 5
  await lib.func('add_one', [POINTER(c_int)], null).batch([ints])
  assert.equal([...ints], [1, 1, 6, 1])
  const typed = session.memory.array(Int32Array, 3)
  await lib.func('add_one', [POINTER(c_int)], null).batch([typed])
  assert.equal([...typed], [1, 1, 1])
  const jobs = session.memory.array(Job, 3)
  await lib.func('halt', [POINTER(Job)], null).batch([jobs])
  assert.equal(
    Array.from(jobs, job => job.stop),
    [1, 1, 1],
  )
  for (const bad of [-1, 1.5, 'x']) throws(() => session.memory.array(Int8Array, bad as never), ArgumentError)
  throws(() => session.memory.array(Map as never, 1), ArgumentError)
  assert.is(session.memory.array(Int8Array, 0).length, 0)
  // the memory goes with the array, and so is not handed to another
  const { buffer } = session.memory.array(Int8Array, 4) as unknown as { buffer: { transfer(): ArrayBuffer } }
  throws(() => buffer.transfer(), ArgumentError, 'slice')
})

test('such objects are ordinary ones to JS', async ({ session }) => {
  const numbers = session.memory.array(Float64Array, 4)
  numbers.set([1, 2, 3, 4])
  const clone = structuredClone(numbers)
  assert.equal([clone.buffer.byteLength, [...clone]], [32, [1, 2, 3, 4]])
  assert.equal([...Buffer.from(numbers.buffer)].length, 32)
  assert.is(inspect(numbers), inspect(Float64Array.of(1, 2, 3, 4)))
  const job = session.memory.place(new Job({ n: 1, stop: 2 }))
  assert.equal(
    [{ ...job }, JSON.stringify(job), inspect(job)],
    [{ ...new Job({ n: 1, stop: 2 }) }, '{"n":1,"stop":2}', 'Job { n: 1, stop: 2 }'],
  )
  const text = session.memory.place(create_string_buffer('abc'))
  assert.equal([text.value, text.raw.length, text.raw.buffer.byteLength], ['abc', 4, 4])
  text.raw[0] = 0x78
  assert.is(text.value, 'xbc')
  text.value = 'no'
  assert.equal([...text.raw], [0x6e, 0x6f, 0, 0])
  const array = session.memory.place(new (c_int.array(3))(1, 2, 3))
  const view = array.asTypedArray()
  view[1] = 9
  await lib.func('add_one', [POINTER(c_int)], null)(view.subarray(1) as never)
  assert.equal([...array], [1, 10, 3])
})

test('what copies, spreads, lists and shows does with them what it does with ordinary ones', async ({ session }) => {
  const outcome = (act: () => unknown): unknown => {
    try {
      return act()
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  }
  const ways: ((value: never) => unknown)[] = [
    value => structuredClone(value),
    value => structuredClone(plain(value)),
    value => structuredClone({ inside: [value] }),
    value => ({ ...(value as object) }),
    value => [...(value as Iterable<unknown>)].map(one => inspect(one)),
    value => Object.entries(value),
    value => Buffer.from(value),
    value => Buffer.from((value as Uint8Array).buffer),
    value => inspect(value),
    value => inspect({ inside: [value] }, { depth: 5 }),
    value => JSON.stringify(value),
    value => String(value),
  ]
  const doubles = session.memory.array(Float64Array, 3)
  doubles.set([1, 2, 3])
  const bytes = session.memory.array(Uint8Array, 2)
  bytes.set([7, 8])
  const ints = session.memory.array(c_int, 2)
  ints[1] = 5
  const jobs = session.memory.array(Job, 2)
  jobs[1].n = 4
  for (const [there, ordinary] of [
    [doubles, Float64Array.of(1, 2, 3)],
    [bytes, Uint8Array.of(7, 8)],
    [ints, new (c_int.array(2))(0, 5)],
    [jobs, new (Job.array(2))({}, { n: 4 })],
    [session.memory.place(new Job({ n: 1 })), new Job({ n: 1 })],
    [session.memory.place(new c_int(3)), new c_int(3)],
    [session.memory.place(create_string_buffer('abc')), create_string_buffer('abc')],
  ])
    for (const way of ways) {
      const [got, right] = [there, ordinary].map(value => outcome(() => way(value as never)))
      deepStrictEqual(got, right, `${inspect(ordinary)}: ${way}`)
    }
  // a copy is a copy
  const copies = [structuredClone(doubles), Float64Array.from(doubles), doubles.slice()]
  doubles[0] = 9
  for (const copy of copies) assert.is(copy[0], 1)
})

test('what stays where it is is copied for each call, and says so', async ({ session }) => {
  const add = lib.func('add_one', [POINTER(c_int)], null)
  const numbers = new (c_int.array(2))(1, 2)
  const view = numbers.asTypedArray()
  await add(numbers)
  assert.equal([...view], [2, 2])
  throws(() => addressof(numbers), ArgumentError, 'copied for each call')
  throws(() => session.memory.place(numbers), ArgumentError, 'copied for each call')
  const bytes = new Int32Array(1)
  const over = c_int.from_buffer(bytes)
  await add(byref(over))
  assert.equal([over.value, bytes[0]], [1, 1])
  throws(() => addressof(over), ArgumentError, 'copied for each call')
  // in an object that moves it has room of its own
  const texts = new Texts({ numbers: over as never })
  await lib.func('double_numbers', [POINTER(Texts), c_int], null)(byref(texts), 1)
  assert.is(bytes[0], 2)
})

test('an object over a longer buffer is as long as the buffer', async () => {
  const sum = lib.func('sum_blob', [POINTER(Blob)], c_uint)
  const blob = Blob.from_buffer(Uint32Array.of(3, 1, 2, 3))
  assert.equal([await sum(byref(blob)), sum.sync(pointer(blob)), await sum(blob)], [6, 6, 6])
  const numbers = new (c_uint.array(4))(3, 4, 5, 6)
  assert.is(await sum(cast(byref(numbers), POINTER(Blob))), 15)
})

test('resize gives an object more memory, and moves it', async ({ session }) => {
  const blob = session.memory.place(new Blob({ count: 1, values: [5] }))
  resize(blob, 16)
  assert.equal([sizeof(blob), sizeof(Blob), blob.count], [16, 8, 1])
  const values = cast(byref(blob, 4), POINTER(c_uint))
  blob.count = 3
  values.set(1, 6)
  values.set(2, 7)
  assert.is(await lib.func('sum_blob', [POINTER(Blob)], c_uint)(byref(blob)), 18)
  throws(() => resize(blob, 7), ArgumentError, '8 bytes')
  throws(() => resize(new (Job.array(2))()[1], 100), ArgumentError, 'own')
})

test('free takes an object back into memory of JS', async ({ session }) => {
  const job = session.memory.place(new Job({ n: 1 }))
  await session.memory.free(job)
  assert.is(job.n, 1)
  throws(() => addressof(job), ArgumentError, 'no address')
  await lib.func('halt', [POINTER(Job)], null)(byref(job))
  assert.is(job.stop, 1)
  const array = session.memory.array(c_int, 2)
  array.asTypedArray()
  await rejects(session.memory.free(array), ArgumentError, 'typed array')
})

test('an object that one session has is copied for the calls of another', async ({ session }) => {
  const other = await CtypesSession.start()
  try {
    const there = await other.cdll.LoadLibrary(dll('state'))
    const [a, b] = [new Node({ value: 1 }), new Node({ value: 2 })]
    a.next = pointer(b)
    const here = lib.func('sum_nodes', [POINTER(Node)], c_longlong)
    assert.is(await here(byref(a)), 3n)
    const address = a.next?.address
    assert.is(await there.func('sum_nodes', [POINTER(Node)], c_longlong)(byref(a)), 3n)
    await there.func('add_one', [POINTER(Node)], null)(byref(a))
    assert.is(a.value, 2)
    assert.is(a.next?.address, address)
    assert.is(await here(byref(a)), 4n)
    throws(() => other.memory.place(a), ArgumentError, session.id)
    // its pointers are turned round there, and lead to the same objects here
    await there.func('turn_round', [POINTER(Node)], POINTER(Node))(byref(a))
    assert.equal([a.next, b.next?.contents.value], [null, 2])
    assert.is(await here(byref(b)), 4n)
  } finally {
    await other.terminate()
  }
})

test('objects keep their values when their session ends, and move to another', async () => {
  const sessions = 3
  const kept: { job: Job; numbers: Float64Array; texts: Texts; node: Node }[] = []
  for (let i = 0; i < sessions; i++) {
    const one = await CtypesSession.start()
    const there = await one.cdll.LoadLibrary(dll('state'))
    const job = new Job({ n: i, stop: 0 })
    await there.func('halt', [POINTER(Job)], null)(byref(job))
    const numbers = one.memory.array(Float64Array, 1000)
    numbers.fill(i + 0.5)
    const texts = one.memory.place(new Texts({ narrow: `text ${i}` }))
    const node = one.memory.place(new Node({ value: i, next: new Node({ value: i + 100 }) } as never))
    kept.push({ job, numbers, texts, node })
    const raw = one.memory.at(c_int, addressof(job))
    await one.terminate()
    throws(() => raw.value, SessionTerminatedError)
  }
  await sleep(20)
  for (const [i, { job, numbers, texts, node }] of kept.entries()) {
    assert.equal([job.n, job.stop, numbers[0], numbers[999]], [i, 1, i + 0.5, i + 0.5])
    assert.equal([texts.narrow, node.next?.contents.value], [`text ${i}`, i + 100])
    job.n = 50
    numbers[0] = 3
    assert.equal([job.n, numbers[0]], [50, 3])
  }
  const add = lib.func('add_one', [POINTER(Job)], null)
  await add(byref(kept[0].job))
  assert.is(kept[0].job.n, 51)
  assert.is(await lib.func('sum_nodes', [POINTER(Node)], c_longlong)(byref(kept[1].node)), 102n)
})

test('where there is no room left a clear error says what to do', async () => {
  const small = await CtypesSession.start({ memory: 1 << 20 })
  try {
    const kept: object[] = []
    const error = throws(
      () => {
        for (let i = 0; i < 10_000; i++) kept.push(small.memory.place(new (c_char.array(1000))()))
      },
      Error,
      'out(T)',
      'free',
      '"memory"',
    )
    assert.ok(kept.length > 500, error.message)
    for (const object of kept.splice(0)) await small.memory.free(object)
    small.memory.place(new Job())
  } finally {
    await small.terminate()
  }
})

test('temporary objects of a program that pauses give their memory back', async ({ session }) => {
  const add = lib.func('add_one', [POINTER(c_int)], null)
  const used = new Set<bigint>()
  const count = full ? 1_000_000 : 100_000
  for (let i = 0; i < count; i += 1000) {
    const numbers = Array.from({ length: 1000 }, (_, j) => new c_int(i + j))
    await Promise.all(numbers.map(number => add(byref(number))))
    if (numbers.some((number, j) => number.value !== i + j + 1)) assert.unreachable('a number is another')
    for (const number of numbers) used.add(addressof(number))
    if (i % (count / 10) === 0) {
      collectGarbage()
      await sleep(1)
    }
  }
  assert.ok(used.size < count / 2, `${count} objects at ${used.size} addresses`)
  // and as many at once are as many addresses
  const kept = Array.from({ length: 5000 }, (_, i) => session.memory.place(new c_int(i)))
  assert.is(new Set(kept.map(number => addressof(number))).size, 5000)
})

test('temporary objects of a loop that never pauses take memory of the Windows side, and then there comes one clear error', async () => {
  for (const [memory, most] of [
    [1 << 20, 250_000],
    [2 << 20, 65_000],
  ]) {
    const small = await CtypesSession.start({ memory })
    try {
      const own = await small.cdll.LoadLibrary(dll('state'))
      const add = own.func('add_one', [POINTER(c_int)], null)
      const keep = own.func('keep_int', [POINTER(c_int)], POINTER(c_int))
      const write = own.func('write_kept', [c_int], null)
      const read = own.func('read_kept', [], c_int)
      // never pauses: nothing is given back, so there comes one clear error, and no wrong value before it
      let failure: Error | undefined
      let made = 0
      for (; made < most && !failure; made++) {
        const number = new c_int(made)
        try {
          add.sync(byref(number))
        } catch (error) {
          failure = error as Error
          break
        }
        if (number.value !== made + 1) assert.unreachable(`${number.value} where ${made + 1} is right`)
        if (made % 10_000 === 0 || (memory === 1 << 20 && made === 35_000)) {
          keep.sync(byref(number))
          const address = addressof(number)
          write.sync(5)
          add.sync(byref(number))
          assert.is(number.value, 6)
          number.value = 9
          add.sync(byref(number))
          assert.equal([read.sync(), addressof(number)], [10, address])
        }
      }
      // twice as many as the shared memory has room for: the Windows side's own comes after it
      if (memory === 1 << 20) {
        assert.ok(made > 30_000 && failure, `${made} objects`)
        for (const word of ['out(T)', 'free', '"memory"']) assert.ok(failure?.message.includes(word), failure?.message)
      } else assert.is(failure, undefined)
    } finally {
      await small.terminate()
    }
  }
})

test('what finds no room any more is right in calls and batches, or refused', async () => {
  const small = await CtypesSession.start({ memory: 2 << 20 })
  try {
    const own = await small.cdll.LoadLibrary(dll('state'))
    const add = own.func('add_one', [POINTER(c_int)], null)
    const numbers: InstanceType<ReturnType<typeof c_int.array>>[] = []
    // twice what there is room for, so that the last ones lie in memory of the Windows side's own
    for (let bytes = 0; bytes < 3 << 20; bytes += 4000) {
      const made = new (c_int.array(1000))()
      made[1] = 1
      add.sync(made)
      numbers.push(made)
      if (numbers.length % 50 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    const [first, last] = [numbers[0], numbers.at(-1) as (typeof numbers)[number]]
    for (const array of [first, last]) {
      array[0] = 50
      array[999] = 7
      await add.batch([array])
      assert.equal([array[0], array[1], array[999]], [51, 2, 8])
      array[0] = 60
      add.sync(array)
      assert.equal([array[0], array[1]], [61, 2])
    }
    // a row’s address alone says nothing of whose memory is to go along
    await add.batch([[first, first]])
    assert.is(first[0], 63)
    await rejects(add.batch([[last]]), ArgumentError, 'row 0', 'full', '"memory"')
    assert.is(last[0], 61)
  } finally {
    await small.terminate()
  }
})

test('texts that another thread changes are read whole, and V8 lives', async ({ session }) => {
  const text = session.memory.place(create_string_buffer('a'.repeat(60)))
  const progress = session.memory.place(new Progress())
  const { port1, port2 } = new MessageChannel()
  const joining = session.port()
  const source = `
    import { workerData } from 'node:worker_threads'
    import { CtypesSession, c_char } from 'zugbruecke'
    const session = await CtypesSession.attach(workerData.joining)
    const text = session.memory.at(c_char.array(61), workerData.address)
    const both = ['a'.repeat(60), 'ü'.repeat(30)]
    workerData.port.on('message', () => process.exit(0))
    for (let i = 0; ; i++) {
      text.value = both[i % 2]
      if (i % 1000 === 0) await new Promise(resolve => setImmediate(resolve))
    }`
  const resolved = source.replace("'zugbruecke'", `'${import.meta.resolve('zugbruecke')}'`)
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(resolved)}`), {
    workerData: { joining, port: port2, address: addressof(text) },
    transferList: [joining, port2],
  })
  const ended = new Promise(resolve => worker.once('exit', resolve))
  await until(() => text.value.includes('ü'), 'the other thread')
  let wide = 0
  for (const end = Date.now() + 500; Date.now() < end; ) {
    const now = text.value
    if (now.includes('ü')) wide++
    assert.ok(now.length <= 60)
    JSON.stringify(text)
    inspect(text)
  }
  assert.ok(wide > 0)
  assert.is(progress.done, 0)
  port1.postMessage('end')
  await ended
})

test.run()
