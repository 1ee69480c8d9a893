import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import {
  CFUNCTYPE,
  CtypesSession,
  c_char_p,
  c_int,
  type Library,
  MemoryAccessError,
  POINTER,
  SessionTerminatedError,
} from 'zugbruecke'
import { dll, sessionSuite, throws } from '../support.js'

// as where the kernel does not let Node into the memory of another process
process.env.ZUGBRUECKE_MEMORY_ACCESS = 'host'
const test = sessionSuite("memory of the DLL's own, read and written by the host")
let texts: Library
let callbacks: Library
test.before(async ({ session }) => {
  texts = await session.cdll.LoadLibrary(dll('texts'))
  callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
})

const pattern = (size: number) => Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8))

test('what is written is read back, in one piece and in many', async ({ session }) => {
  for (const size of [1, 8, 57_344, 57_345, 300_000]) {
    const memory = await session.memory.alloc(size)
    memory.write(pattern(size))
    assert.equal(memory.read(), pattern(size), String(size))
    await memory.free()
  }
})

test('a returned pointer is read and written in place', async () => {
  const own = await texts.func('own_numbers', [], POINTER(c_int))()
  assert.ok(own)
  own.set?.(0, 100)
  assert.equal([...own.slice(8)].map(Number), [100, 2, 3, 4, 5, 6, 7, 8])
})

test('a bad address is an error, and the session lives', async ({ session }) => {
  const end = 2n ** (session.arch === 'win64' ? 64n : 32n)
  for (const address of [
    0n,
    16n,
    ...(end > 2n ** 53n ? [0x7fff_ffff_0000n, 2n ** 53n] : [0xbfff_0000n]),
    end - 2048n,
  ]) {
    throws(() => session.memory.read(address, 8), MemoryAccessError, address.toString(16).slice(0, 8))
    throws(() => session.memory.write(address, new Uint8Array(8)), MemoryAccessError)
  }
  throws(() => session.string_at(16n), MemoryAccessError)
  assert.is(await texts.func('length', [c_char_p], c_int)('abc\0'), 3)
})

test('a read-only page is not written', async ({ session }) => {
  const { address } = (await texts.func('read_only', [], POINTER(c_int))()) as unknown as { address: bigint }
  throws(() => session.memory.write(address, Uint8Array.of(1)), MemoryAccessError)
  assert.equal(session.memory.read(address, 4), Uint8Array.of(7, 0, 0, 0))
})

test('of a range that ends too late nothing is written', async ({ session }) => {
  const size = 1 << 20
  const memory = await session.memory.alloc(size)
  const far = new Uint8Array(1 << 30).subarray(0, 64 * size)
  throws(() => session.memory.write(memory.address, far.fill(1)), MemoryAccessError)
  assert.is(memory.read(0, 1)[0], 0)
  await memory.free()
})

test('while a routine runs', async ({ session }) => {
  const memory = await session.memory.alloc(8)
  const rest = callbacks.func('rest', [c_int], c_int)
  const begin = performance.now()
  const resting = rest(600)
  await new Promise(resolve => setTimeout(resolve, 50))
  memory.write(Uint8Array.of(5))
  assert.is(memory.read(0, 1)[0], 5)
  assert.ok(performance.now() - begin < 500, 'not behind the routine')
  await resting
  await memory.free()
})

test('inside callbacks, blocking ones too', async ({ session }) => {
  const Unary = CFUNCTYPE(c_int, c_int)
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const memory = await session.memory.alloc(4)
  const read = (n: number) => {
    memory.write(Uint8Array.of(n))
    return memory.read(0, 1)[0] + 1
  }
  assert.is(once.sync(read, 7), await once(read, 7))
  await memory.free()
})

test('from threads that joined, at the same time', async ({ session }) => {
  const size = 70_000
  const memory = await session.memory.alloc(8 * size)
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { CtypesSession } from '${import.meta.resolve('zugbruecke')}'
    const { port, address, size, number } = workerData
    const session = await CtypesSession.attach(port)
    let good = true
    for (let round = 0; round < 20; round++) {
      const bytes = new Uint8Array(size).fill(16 * number + (round & 15))
      session.memory.write(address, bytes)
      good &&= Buffer.compare(session.memory.read(address, size), bytes) === 0
    }
    parentPort.postMessage(good)
  `
  const ask = async (number: number) => {
    const port = session.port()
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: { port, address: memory.address + BigInt(number * size), size, number },
      transferList: [port],
      execArgv: [],
    })
    try {
      return await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    } finally {
      await worker.terminate()
    }
  }
  assert.equal(await Promise.all([1, 2, 3].map(ask)), [true, true, true])
  await memory.free()
})

test('in jobs', async ({ session }) => {
  const module = new URL('../life/jobs/everything.mjs', import.meta.url)
  const input = { numbers: dll('numbers'), texts: dll('texts'), callbacks: dll('callbacks'), relative: dll('numbers') }
  const { memory } = (await session.runJob(module, input)) as {
    memory: number[]
  }
  assert.equal(memory, [1, 2, 0])
})

test('of a session that has ended', async () => {
  const other = await CtypesSession.start()
  const memory = await other.memory.alloc(8)
  memory.write(Uint8Array.of(1))
  await other.terminate()
  throws(() => memory.read(), SessionTerminatedError)
})

test.run()
