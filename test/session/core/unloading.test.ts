/** What comes from a DLL fails once it is unloaded, whatever lies at its addresses by then. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  CFUNCTYPE,
  c_byte,
  c_int,
  c_short,
  c_void_p,
  c_wchar_p,
  DllNotFoundError,
  type Library,
  MemoryAccessError,
} from 'zugbruecke'
import { SharedWord } from '../../../src/channel/shared.js'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('unloading')
const folder = mkdtempSync(join(tmpdir(), 'zb-unloading-'))
const path = join(folder, 'versions.dll')
test.after(() => rmSync(folder, { recursive: true }))

/** Both versions lie at one address, each with other things there. */
const base = process.env.ZUGBRUECKE_ARCH === 'win32' ? '0x5b830000' : '0x2b8390000'
const AT_ONE_ADDRESS = ['-Wl,--disable-dynamicbase', `-Wl,--image-base,${base}`]
const API = '__declspec(dllexport)'
const FIRST = `
  ${API} int counter = 5;
  ${API} int answer(void) { return 1; }
  ${API} int (*handler)(void) = answer;
  ${API} void *give(void) { return answer; }
  ${API} int run(int (*callback)(int), int x) { return callback(x); }`
const SECOND = `
  ${API} int first(void) { return 666; }
  ${API} int second(void) { return 667; }
  ${API} int counter = 77;
  ${API} int answer(void) { return 2; }
  ${API} int (*handler)(void) = answer;`
const Answer = CFUNCTYPE(c_int)

/** All handles that lead into a library, as attempts to use them. */
async function handles(library: Library): Promise<(() => unknown)[]> {
  const typed = library.func('answer', [], c_int)
  const unused = library.func('answer', [], c_int)
  const { answer } = library
  const counter = c_int.in_dll(library, 'counter')
  const handler = Answer.in_dll(library, 'handler')
  const pointer = handler.value as () => Promise<number>
  const neverCalled = handler.value as () => Promise<number>
  const given = (await library.func('give', [], Answer)()) as () => Promise<number>
  const run = library.func('run', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  assert.equal([await typed(), await answer(), counter.value, await pointer(), await given()], [1, 1, 5, 1, 1])
  assert.is(await run(x => x + 1, 4), 5)
  return [
    () => typed(),
    () => typed.sync(),
    () => typed.detail(),
    () => typed.with({ timeout: 1000 })(),
    () => typed.batch([], { rows: 3 }),
    () => typed.batch.sync([], { rows: 3 }),
    () => typed.batch.stream([[]], { rows: 3 }).next(),
    () => unused(),
    () => answer(),
    () => library.give(),
    () => run(x => x, 1),
    () => library.load(),
    () => counter.value,
    () => {
      counter.value = 1
    },
    () => handler.value,
    () => pointer(),
    () => neverCalled(),
    () => given(),
  ]
}

test('every handle fails, before and after another DLL lies at its address', async ({ session }) => {
  makeDll(path, FIRST, AT_ONE_ADDRESS)
  const library = await session.cdll.LoadLibrary(path)
  const old = await handles(library)
  const before = library.answer()
  await library.unload()
  assert.is(await before, 1)
  for (const use of old) await rejects((async () => use())(), DllNotFoundError, 'unloaded')
  makeDll(path, SECOND, AT_ONE_ADDRESS)
  const other = await session.cdll.LoadLibrary(path)
  assert.is(await other.answer(), 2)
  assert.is(c_int.in_dll(other, 'counter').value, 77)
  assert.is(await (Answer.in_dll(other, 'handler').value as () => Promise<number>)(), 2)
  for (const use of old) await rejects((async () => use())(), DllNotFoundError, 'unloaded')
  await rejects(library.unload(), ArgumentError, 'is not loaded')
  await other.unload()
})

test('a DLL is loaded as long as a library stands for it', async ({ session }) => {
  const one = await session.cdll.LoadLibrary(dll('numbers'))
  const two = session.CDLL(dll('numbers'))
  const add = two.func('add', [c_int, c_int], c_int)
  const counter = c_int.in_dll(two, 'counter')
  assert.is(await add(1, 2), 3)
  await one.unload()
  await rejects(one.add(1, 2), DllNotFoundError, 'unloaded')
  assert.is(await add(1, 2), 3)
  assert.type(counter.value, 'number')
  const three = await session.cdll.LoadLibrary(dll('numbers'))
  await two.unload()
  await rejects(add(1, 2), DllNotFoundError, 'unloaded')
  throws(() => counter.value, DllNotFoundError, 'unloaded')
  assert.is(await three.add(1, 2), 3)
  const handle = session.windll.kernel32.func('GetModuleHandleW', [c_wchar_p], c_void_p)
  assert.is.not(await handle(basename(dll('numbers'))), null)
  await three.unload()
  assert.is(await handle(basename(dll('numbers'))), null)
})

test('what the loader gives by attribute is loaded anew after it was unloaded', async ({ session }) => {
  const { version } = session.windll
  assert.is(session.windll.version, version)
  await version.load()
  await version.unload()
  assert.is.not(session.windll.version, version)
  await session.windll.version.load()
})

test('a call of another library that finds its DLL gone says so', async ({ session }) => {
  // freed behind this library's back, and nobody else has it
  const numbers = await session.cdll.LoadLibrary(dll('numbers'))
  const add = numbers.func('add', [c_int, c_int], c_int)
  const loaded = await session.windll.kernel32.func('GetModuleHandleW', [c_wchar_p], c_void_p)(basename(dll('numbers')))
  assert.is(await add(1, 2), 3)
  await session.windll.kernel32.func('FreeLibrary', [c_void_p], c_int)(loaded)
  await rejects(add(1, 2), DllNotFoundError, 'unloaded')
  throws(() => add.sync(1, 2), DllNotFoundError, 'unloaded')
  await rejects(add.batch([Int32Array.of(1), 2]), DllNotFoundError, 'unloaded')
})

test('loads and declarations of one kind are one on the Windows side, and what JS drops is given back', async ({
  session,
}) => {
  const core = session.coreNow()
  assert.ok(core)
  const { i32 } = core.shared
  const numbersOf = () => [Atomics.load(i32, SharedWord.dllNumber), Atomics.load(i32, SharedWord.routineNumber)]
  const repeat = async () => {
    for (let i = 0; i < 2000; i++) {
      const library = i % 2 === 0 ? session.CDLL(dll('faults')) : await session.cdll.LoadLibrary(dll('faults'))
      assert.is(await library.func('int add(int, int)')(i, 1), i + 1)
    }
  }
  await repeat()
  const [libraries, routines] = numbersOf()
  await repeat()
  assert.is(numbersOf()[0], libraries)
  assert.ok(numbersOf()[1] - routines < 10, 'declared once, or once after each sweep')
  // signatures that nothing stands for any more
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const kinds = [c_int, c_short, c_byte]
  const declare = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const types = Array.from({ length: 8 }, (_, bit) => kinds[Math.floor(i / 3 ** bit) % 3])
      const sum = session.CDLL(dll('callbacks')).func('sum_of_eight', types, c_int)
      assert.is(await sum(...types.map(() => 2)), 16)
    }
  }
  await declare(500)
  const most = numbersOf()[1]
  for (let round = 0; round < 4; round++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 100))
    await declare(500)
  }
  assert.ok(numbersOf()[1] - most < 1000, `${numbersOf()[1] - most} numbers for 2000 declarations of 500 kinds`)
})

test('memory of a DLL that is gone cannot be read through what led there', async ({ session }) => {
  makeDll(path, FIRST, AT_ONE_ADDRESS)
  const library = await session.cdll.LoadLibrary(path)
  const { address } = (await library.func('give', [], Answer)()) as { address: bigint }
  assert.is(session.memory.read(address, 1).length, 1)
  await library.unload()
  throws(() => session.memory.read(address, 1), MemoryAccessError, address.toString(16))
})

test.run()
