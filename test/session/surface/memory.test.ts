import * as assert from 'uvu/assert'
import {
  ArgumentError,
  addressof,
  type CType,
  c_float,
  c_int,
  c_longlong,
  type Library,
  MemoryAccessError,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { arch, c_void_p, POINTER } from '../types.js'

const test = sessionSuite("memory of the DLL's own")
let texts: Library
test.before(async ({ session }) => {
  texts = await session.cdll.LoadLibrary(dll('texts'))
})

test('allocated memory is zeroed, read and written', async ({ session }) => {
  for (const size of [1, 100, 4096, 4097, 1 << 20]) {
    const memory = await session.memory.alloc(size)
    assert.equal(memory.read(0, Math.min(size, 100)), new Uint8Array(Math.min(size, 100)))
    memory.write(Uint8Array.of(1), size - 1)
    assert.equal(memory.read(size - 1), Uint8Array.of(1))
    throws(() => memory.write(Uint8Array.of(1, 2), size - 1), ArgumentError)
    await memory.free()
  }
})

test('memory is allocated and freed by calls that block', async ({ session }) => {
  const memory = session.memory.alloc.sync(8)
  session.memory.free.sync(memory)
  throws(() => memory.address, MemoryAccessError, 'freed')
  throws(() => session.memory.free.sync(memory), MemoryAccessError, 'freed')
  await rejects(session.memory.free(memory), MemoryAccessError, 'freed')
  await rejects(memory.free(), MemoryAccessError, 'freed')
})

test('what a DLL keeps is there later', async ({ session }) => {
  const memory = await session.memory.alloc(c_int)
  memory.contents.value = 40
  await texts.func('keep', [POINTER(c_int)], null)(memory)
  assert.is(await texts.func('add_to_kept', [c_int], c_int)(2), 42)
  assert.is(memory.contents.value, 42)
  await memory.free()
})

test('a returned pointer is read and written in place', async ({ session }) => {
  const own = await texts.func('own_numbers', [], POINTER(c_int))()
  assert.ok(own)
  assert.equal([...own.slice(8)].map(Number), [1, 2, 3, 4, 5, 6, 7, 8])
  own.set?.(0, 100)
  const address = (own as unknown as { address: bigint }).address
  session.memory.write(address + 4n, new Uint8Array(new Int32Array([200]).buffer))
  const [, second] = new Int32Array(session.memory.read(address, 8).buffer)
  assert.is(second, 200)
})

test('memory that was made for a type is memory of that type', async ({ session }) => {
  const ints = await session.memory.alloc(c_int.array(4))
  const take = (type: CType) => texts.func('echo', [POINTER(type)], c_void_p)
  assert.is(await take(c_int)(ints as never), ints.address)
  assert.is(await texts.func('echo', [c_void_p], c_void_p)(ints), ints.address)
  assert.is(await texts.func('echo', [c_int.array(4)], c_void_p)(ints as never), ints.address)
  await rejects(take(c_longlong)(ints as never), ArgumentError, 'POINTER(c_longlong)', 'c_int[4]')
  await rejects(take(c_float)(ints as never), ArgumentError, 'POINTER(c_float)', 'c_int[4]')
  await rejects(texts.func('echo', [c_int.array(5)], c_void_p)(ints as never), ArgumentError, 'c_int[5]')
  const bytes = await session.memory.alloc(16)
  assert.is(await take(c_longlong)(bytes), bytes.address)
  await rejects(texts.func('echo', [c_int.array(5)], c_void_p)(bytes as never), ArgumentError, 'c_int[5]')
})

test('a bad address is an error, and the session lives', async ({ session }) => {
  throws(() => session.memory.read(16n, 4), MemoryAccessError, '0x10')
  throws(() => session.memory.write(16n, Uint8Array.of(1)), MemoryAccessError)
  throws(() => session.string_at(16n), MemoryAccessError)
  if (arch === 'win64') throws(() => session.memory.read(0x7fff_ffff_0000n, 4), MemoryAccessError)
  else throws(() => session.memory.read(0x7fff_ffff_0000n, 4), ArgumentError, '32 bits')
  assert.is(await texts.length('abc\0'), 1)
})

test('a read-only page is not written', async ({ session }) => {
  const fixed = await texts.func('read_only', [], POINTER(c_int))()
  const address = (fixed as unknown as { address: bigint }).address
  throws(() => session.memory.write(address, Uint8Array.of(1)), MemoryAccessError)
  assert.equal(session.memory.read(address, 4), Uint8Array.of(7, 0, 0, 0))
})

test('freed memory is refused, and so is a second free', async ({ session }) => {
  const memory = await session.memory.alloc(8)
  const { address } = memory
  await memory.free()
  throws(() => memory.read(), MemoryAccessError, 'freed')
  await rejects(memory.free(), MemoryAccessError)
  await rejects(session.memory.free(address as never), ArgumentError)
  await rejects(texts.func('keep', [POINTER(c_int)], null)(memory as never), ZugbrueckeError, 'freed')
})

test('memory is disposable', async ({ session }) => {
  const memory = await session.memory.alloc(8)
  await memory[Symbol.asyncDispose]()
  throws(() => memory.address, MemoryAccessError)
  await memory[Symbol.asyncDispose]()
})

test('texts at an address', async ({ session }) => {
  const memory = await session.memory.alloc(64)
  memory.write(new TextEncoder().encode('grün'))
  assert.is(session.string_at(memory), 'grün')
  assert.is(session.string_at(memory.address, 2), 'gr')
  memory.write(new Uint8Array(Buffer.from('grün\0', 'utf16le')))
  assert.is(session.wstring_at(memory), 'grün')
  await memory.free()
})

test('an object that nobody has been given has no address', () => {
  throws(() => addressof(new c_int(1)), ArgumentError, 'session.memory.place')
})

test('bad sizes', async ({ session }) => {
  for (const bad of [-1, 1.5, Number.NaN, '8', undefined])
    await rejects(session.memory.alloc(bad as never), ArgumentError)
  await rejects(session.memory.alloc(2 ** 46), ZugbrueckeError)
})

test('arrays that no memory has room for', ({ session }) => {
  for (const length of [2 ** 31, 2 ** 32, 2 ** 32 + 16, 2 ** 33 + 5, 2 ** 52 + 1])
    for (const type of [Uint8Array, Float64Array])
      throws(() => session.memory.array(type, length), ZugbrueckeError, 'not left')
  throws(() => session.memory.array(c_int, 2 ** 32 - 1), ZugbrueckeError, 'not left')
  throws(() => session.memory.array(c_int, 2 ** 32), ArgumentError)
})

test('addresses that are reserved, and no memory yet', async ({ session }) => {
  const { c_size_t, c_void_p, c_ulong } = session.types
  const allocate = session.windll.kernel32.func('VirtualAlloc', [c_void_p, c_size_t, c_ulong, c_ulong], c_void_p)
  const [COMMIT, RESERVE, READWRITE] = [0x1000, 0x2000, 4]
  const at = (await allocate(null, 0x10000, RESERVE, READWRITE)) as bigint
  throws(() => session.memory.read(at, 16), MemoryAccessError, 'readable', at.toString(16))
  assert.is(await allocate(at, 0x1000, COMMIT, READWRITE), at)
  assert.equal(session.memory.read(at, 16), new Uint8Array(16))
  throws(() => session.memory.read(at, 0x1001), MemoryAccessError, 'readable')
  const free = session.windll.kernel32.func('VirtualFree', [c_void_p, c_size_t, c_ulong], session.types.c_int)
  assert.is(await free(at, 0, 0x8000), 1)
})

test.run()
