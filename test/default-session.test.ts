import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { suiteAtOnce } from './at-once.js'
import { dll } from './session/support.js'

const test = suiteAtOnce('the default session', 4)
const run = promisify(execFile)

async function output(body: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', body], { timeout: 60_000 })
  return JSON.parse(stdout)
}

test('importing it starts a session; its names are bound', async () => {
  const seen = await output(`
    import { cdll, windll, session, c_int, CFUNCTYPE, FormatError, get_last_error, WinDLL, util, memory } from 'zugbruecke/ctypes'
    const numbers = cdll[${JSON.stringify(dll('numbers'))}]
    const callbacks = await cdll.LoadLibrary(${JSON.stringify(dll('callbacks'))})
    const once = callbacks.func('call_once', [CFUNCTYPE(c_int, c_int), c_int], c_int)
    console.log(JSON.stringify([
      session.up,
      numbers.add.sync(3, 4),
      await once(value => value * 2, 21),
      (await FormatError(5)).length > 0,
      typeof get_last_error(),
      await windll.kernel32.GetCurrentProcessId() === await WinDLL('kernel32').GetCurrentProcessId(),
      (await memory.alloc(4)).size,
      await util.find_msvcrt(),
    ]))`)
  assert.equal(seen, [true, 7, 42, true, 'number', true, 4, null])
})

test('bare addresses are of its memory', async () => {
  const seen = await output(`
    import { c_char_p, c_int, cast, create_string_buffer, memory, POINTER, string_at, wstring_at } from 'zugbruecke/ctypes'
    const place = await memory.alloc(16)
    place.write(new Uint8Array([65, 0, 66, 0, 0, 0]))
    console.log(JSON.stringify([
      string_at(place.address), string_at(place), wstring_at(place.address), string_at(create_string_buffer('x')),
      cast(place.address, POINTER(c_int)).contents.value, cast(place, POINTER(c_int)).contents.value,
      cast(place.address, c_char_p).value, cast(null, POINTER(c_int)).isNull,
    ]))`)
  assert.equal(seen, ['A', 'A', 'AB', 'x', 0x420041, 0x420041, 'A', true])
})

test('zugbruecke/ctypes/util', async () => {
  const seen = await output(`
    import { find_library, find_msvcrt } from 'zugbruecke/ctypes/util'
    console.log(JSON.stringify([(await find_library('kernel32')).toLowerCase().endsWith('kernel32.dll'), find_msvcrt.sync()]))`)
  assert.equal(seen, [true, null])
})

test('read like Python: import * as ctypes', async () => {
  const seen = await output(`
    import * as ctypes from 'zugbruecke/ctypes'
    class Point extends ctypes.Structure({ x: ctypes.c_int, y: ctypes.c_int }) {}
    const { abs } = ctypes.cdll.msvcrt
    abs.argtypes = [ctypes.c_int]
    console.log(JSON.stringify([await abs(-3), ctypes.sizeof(Point), ctypes.sizeof(ctypes.c_long)]))`)
  assert.equal(seen, [3, 8, 4])
})

test.run()
