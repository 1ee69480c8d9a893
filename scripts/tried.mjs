#!/usr/bin/env node
// `npm run tried`: prints what anyone can repeat of docs/what-was-tried.md. Needs what the tests need, and a quarter of an hour.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { parseHeader } from '../dist/src/ctypes/header/index.js'
import { byref, CtypesSession, create_string_buffer, types } from '../dist/src/index.js'
import { resolveConfig } from '../dist/src/runtime/config.js'
import { locate } from '../dist/src/runtime/locate.js'
import { added, headersOf, isAccepted } from '../test/ctypes/header/mingw.js'

/** All headers of mingw-w64, each by what it adds to windows.h: those that the compiler takes, are they read whole? */
function tryHeaders() {
  const failed = []
  let read = 0
  let routines = 0
  for (const name of headersOf('win64'))
    try {
      routines += parseHeader(added('win64', [name]), { arch: 'win64', ns: types('win64') }).routines.size
      read++
    } catch (error) {
      if (isAccepted('win64', name)) failed.push(`${name}: ${String(error.message).split('\n')[0].slice(0, 200)}`)
    }
  console.log(
    `headers: ${read} of the ${read + failed.length} that a compiler takes are read whole (${routines} routines)`,
  )
  for (const line of failed) console.log(`  ${line}`)
}

/** What DLLs that come with Windows Python are for, done with them: what it gives, and what it has to give. */
const work = {
  async 'zlib1.dll'(dll) {
    const bytes = Buffer.from('what was tried')
    const sum = dll.func('unsigned long crc32(unsigned long sum, const unsigned char *bytes, unsigned size)')
    return [(await sum(0, bytes, bytes.length)) >>> 0, crc32(bytes)]
  },
  async 'libcrypto-3.dll'(dll) {
    const digest = new Uint8Array(32)
    await dll.func('void *SHA256(const char *text, size_t size, unsigned char *digest)')('abc', 3, digest)
    return [Buffer.from(digest).toString('hex'), createHash('sha256').update('abc').digest('hex')]
  },
  async 'sqlite3.dll'(dll, session) {
    const { c_int, c_void_p, c_char_p, CFUNCTYPE, POINTER } = session.types
    const database = new c_void_p()
    await dll.func('int sqlite3_initialize(void)')() // CPython builds it with SQLITE_OMIT_AUTOINIT
    await dll.func('sqlite3_open', [c_char_p, POINTER(c_void_p)], c_int)(':memory:', byref(database))
    const rows = []
    const onRow = CFUNCTYPE(c_int, c_void_p, c_int, POINTER(c_char_p), POINTER(c_char_p))
    const exec = dll.func('sqlite3_exec', [c_void_p, c_char_p, onRow, c_void_p, c_void_p], c_int)
    const row = (_user, count, values) => {
      rows.push(values.slice(count))
      return 0
    }
    const text = "create table t(a, b); insert into t values (1, 'ä'), (2, null); select * from t order by a desc"
    const code = await exec(database, text, row, null, null)
    return [
      [code, ...rows],
      [0, ['2', null], ['1', 'ä']],
    ]
  },
  async 'tcl86t.dll'(dll) {
    await dll.func('void Tcl_FindExecutable(const char *path)')(null)
    const interpreter = await dll.func('void *Tcl_CreateInterp(void)')()
    const code = await dll.func('int Tcl_Eval(void *interpreter, const char *text)')(interpreter, 'expr {6 * 7}')
    return [
      [code, await dll.func('const char *Tcl_GetStringResult(void *interpreter)')(interpreter)],
      [0, '42'],
    ]
  },
  async 'vcruntime140.dll'(dll) {
    const buffer = create_string_buffer('tried')
    return [await dll.func('void *strchr(const char *text, int c)')(buffer, 0x7a), null]
  },
}

async function tryDlls() {
  const folder = join(locate(resolveConfig({ arch: 'win64' })).python, '../lib')
  const lines = []
  let right = 0
  for (const [name, use] of Object.entries(work)) {
    const session = await CtypesSession.start({ arch: 'win64', env: { WINEDLLOVERRIDES: 'zlib1=n,b' } })
    try {
      const [got, expected] = (await use(await session.cdll.LoadLibrary(join(folder, name)), session)).map(
        JSON.stringify,
      )
      if (got === expected) right++
      else lines.push(`${name}: ${got} instead of ${expected}`)
    } catch (error) {
      lines.push(`${name}: ${error.message.split('\n')[0]}`)
    } finally {
      await session.terminate()
    }
  }
  console.log(`DLLs: ${right} of ${Object.keys(work).length} did what they are for`)
  for (const line of lines) console.log(`  ${line}`)
}

await tryDlls()
tryHeaders()
