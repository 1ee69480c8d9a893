#!/usr/bin/env node
// `npm run tried`, and `npm run tried -- win32`: prints what anyone can repeat of docs/what-was-tried.md. Needs what the tests need, and a
// quarter of an hour.
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { parseHeader } from '../dist/src/ctypes/header/index.js'
import { byref, CtypesSession, create_string_buffer, types } from '../dist/src/index.js'
import { resolveConfig } from '../dist/src/runtime/config.js'
import { locate } from '../dist/src/runtime/locate.js'
import { added, headersOf, isAccepted } from '../test/ctypes/header/mingw.js'

const arch = process.argv[2] ?? 'win64'

/** All headers of mingw-w64, each by what it adds to windows.h: those that the compiler takes, are they read whole? */
function tryHeaders() {
  const failed = []
  let read = 0
  let routines = 0
  for (const name of headersOf(arch))
    try {
      routines += parseHeader(added(arch, [name]), { arch, ns: types(arch) }).routines.size
      read++
    } catch (error) {
      if (isAccepted(arch, name)) failed.push(`${name}: ${String(error.message).split('\n')[0].slice(0, 200)}`)
    }
  console.log(
    `headers on ${arch}: ${read} of the ${read + failed.length} that a compiler takes are read whole (${routines} routines)`,
  )
  for (const line of failed) console.log(`  ${line}`)
}

/** What DLLs that come with Windows Python are for, done with them: what it gives, and what it has to give. */
const work = {
  async zlib1(dll) {
    const bytes = Buffer.from('what was tried')
    const sum = dll.func('unsigned long crc32(unsigned long sum, const unsigned char *bytes, unsigned size)')
    return [(await sum(0, bytes, bytes.length)) >>> 0, crc32(bytes)]
  },
  async libcrypto(dll) {
    const digest = new Uint8Array(32)
    await dll.func('void *SHA256(const char *text, size_t size, unsigned char *digest)')('abc', 3, digest)
    return [Buffer.from(digest).toString('hex'), createHash('sha256').update('abc').digest('hex')]
  },
  async sqlite3(dll, session) {
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
  async tcl86t(dll) {
    await dll.func('void Tcl_FindExecutable(const char *path)')(null)
    const interpreter = await dll.func('void *Tcl_CreateInterp(void)')()
    const code = await dll.func('int Tcl_Eval(void *interpreter, const char *text)')(interpreter, 'expr {6 * 7}')
    return [
      [code, await dll.func('const char *Tcl_GetStringResult(void *interpreter)')(interpreter)],
      [0, '42'],
    ]
  },
  async vcruntime140(dll) {
    const buffer = create_string_buffer('tried')
    return [await dll.func('void *strchr(const char *text, int c)')(buffer, 0x7a), null]
  },
}

async function tryDlls() {
  const folder = join(locate(resolveConfig({ arch })).python, '../lib')
  const files = readdirSync(folder)
  const lines = []
  let right = 0
  let there = 0
  for (const [name, use] of Object.entries(work)) {
    // with a version in the name, or not; 32-bit Python 3.11 has zlib inside itself
    const file = files.find(file => file.startsWith(name) && /^(?:-[\w-]+)?\.dll$/.test(file.slice(name.length)))
    if (file === undefined) continue
    there++
    const session = await CtypesSession.start({ arch, env: { WINEDLLOVERRIDES: 'zlib1=n,b' } })
    try {
      const [got, expected] = (await use(await session.cdll.LoadLibrary(join(folder, file)), session)).map(
        JSON.stringify,
      )
      if (got === expected) right++
      else lines.push(`${file}: ${got} instead of ${expected}`)
    } catch (error) {
      lines.push(`${file}: ${error.message.split('\n')[0]}`)
    } finally {
      await session.terminate()
    }
  }
  console.log(`DLLs on ${arch}: ${right} of ${there} did what they are for`)
  for (const line of lines) console.log(`  ${line}`)
}

await tryDlls()
tryHeaders()
