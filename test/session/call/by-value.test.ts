import * as assert from 'uvu/assert'
import {
  type Arch,
  BigEndianStructure,
  type CArray,
  CFUNCTYPE,
  CtypesSession,
  c_double,
  c_int,
  c_short,
  c_ubyte,
  type Library,
  plain,
  Structure,
} from 'zugbruecke'
import { dll, sessionSuite } from '../support.js'
import { win32 } from '../win32.js'

/** Every size goes there and comes back, also through a callback. */
async function everySize(library: Library): Promise<void> {
  for (let size = 1; size <= 64; size++) {
    class S extends Structure({ bytes: c_ubyte.array(size) }) {}
    const numbers = Array.from({ length: size }, (_, i) => i + 1)
    const given = new S({ bytes: numbers })
    const bytes = (s: { bytes: CArray<typeof c_ubyte> }) => [...s.bytes]

    const move = library.func(`move${size}`, [c_int, c_int, c_int, S, c_double], S)
    assert.equal(
      bytes(await move(1, 2, 3, given, 4)),
      numbers.map(n => n + 10),
      `${size} bytes`,
    )
    assert.equal(bytes(move.sync(0, 0, 0, { bytes: numbers }, 0)), numbers, `${size} bytes, .sync`)
    assert.equal(bytes(given), numbers, 'the copy is the routine’s')

    const call = library.func(`call${size}`, [CFUNCTYPE(S, S, c_int, S), S], S)
    const sum = await call((a, by, b) => new S({ bytes: bytes(a).map((n, i) => n + by + b.bytes[i]) }), given)
    assert.equal(
      bytes(sum),
      numbers.map(n => 3 * n + 3),
      `${size} bytes in a callback`,
    )
  }
}

const test = sessionSuite('structures by value')

test('of 1 to 64 bytes, as argument and result of routines and callbacks', async ({ session }) => {
  await everySize(await session.cdll.LoadLibrary(dll('by-value')))
})

/** Bytes of big-endian fields are what the routine sees. */
async function bigEndian(library: Library): Promise<void> {
  class S extends BigEndianStructure({ a: c_int, b: c_short.array(2) }) {}
  const given = new S({ a: 0x01020304, b: [0x0506, 0x0708] })
  const move = library.func('move8', [c_int, c_int, c_int, S, c_double], S)
  const moved = { a: 0x02030405, b: [0x0607, 0x0809] }
  assert.equal(plain(await move(1, 0, 0, given, 0)), moved)
  assert.equal(plain(move.sync(1, 0, 0, given, 0)), moved)
  assert.equal(
    plain(await library.func('call8', [CFUNCTYPE(S, S, c_int, S), S], S)(a => ({ ...plain(a), a: 0 }), given)),
    {
      a: 0x01020304,
      b: [0x0a0c, 0x0e10],
    },
  )
  assert.equal(
    (await move.batch([1, 0, 0, given, 0], { rows: 2 })).map(s => plain(s)),
    [moved, moved],
  )
}

test('big-endian ones', async ({ session }) => {
  await bigEndian(await session.cdll.LoadLibrary(dll('by-value')))
})

win32(test)('the same in a 32-bit session', async () => {
  const arch: Arch = 'win32'
  const session = await CtypesSession.start({ arch })
  try {
    const library = await session.cdll.LoadLibrary(dll('by-value', arch))
    await everySize(library)
    await bigEndian(library)
  } finally {
    await session.terminate()
  }
})

test.run()
