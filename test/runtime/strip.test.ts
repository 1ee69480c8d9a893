// 64-bit only: each test says of which architecture its DLL is
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession } from 'zugbruecke'
import { readPe } from '../../src/runtime/pe.js'
import { stripped } from '../../src/runtime/strip.js'
import { dll } from '../dlls/build.js'

const test = suite('strip')
let folder: string
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'zb-strip-'))
})
test.after(() => rmSync(folder, { recursive: true }))

/** A DLL with debugging information, as Debian's Wine has it. */
function makeDll(name: string, compiler: string): string {
  const path = join(folder, name)
  execFileSync(compiler, ['-shared', '-g', '-o', path, '-x', 'c', '-'], { input: SOURCE })
  return path
}

const SOURCE = 'int data = 5; __declspec(dllexport) int next(int n) { return n + 1 + data - 5; }'

/** Of the sections. */
const names = (file: Buffer) => {
  const pe = file.readUInt32LE(60)
  const table = pe + 24 + file.readUInt16LE(pe + 20)
  return Array.from({ length: file.readUInt16LE(pe + 6) }, (_, section) =>
    file.toString('latin1', table + section * 40, table + section * 40 + 8).replace(/\0+$/, ''),
  )
}

test('a DLL without its debugging information is the same DLL, and loads', async () => {
  const path = makeDll('debug.dll', 'x86_64-w64-mingw32-gcc')
  const before = readFileSync(path)
  assert.ok(names(before).some(name => name.startsWith('/')))
  const after = stripped(before)
  assert.ok(after.length < before.length / 2)
  assert.equal(
    names(after),
    names(before).filter(name => !name.startsWith('/')),
  )
  const small = join(folder, 'small.dll')
  writeFileSync(small, after)
  assert.equal(readPe(small), readPe(path))
  assert.is(stripped(after), after, 'once is enough')
  const session = await CtypesSession.start({ arch: 'win64' })
  const library = await session.cdll.LoadLibrary(small)
  assert.is(await library.func('int next(int n)')(7), 8)
  await session.terminate()
})

test('what has none, or is no program, is left as it is', () => {
  for (const bytes of [readFileSync(dll('tiny', 'win64')), Buffer.from('MZ'), Buffer.alloc(0), Buffer.alloc(100, 'MZ')])
    assert.is(stripped(bytes), bytes)
})

test('no file is too broken', () => {
  const whole = readFileSync(makeDll('broken.dll', 'i686-w64-mingw32-gcc'))
  for (let length = 0; length < 1500; length += 7) stripped(whole.subarray(0, length))
  for (let at = 60; at < 1500; at++) {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32LE(0xffffffff, at)
    assert.ok(stripped(bytes).length <= whole.length)
  }
})

test.run()
