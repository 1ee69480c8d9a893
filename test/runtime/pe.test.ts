import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DllNotFoundError, WrongArchitectureError } from '../../src/errors.js'
import { readPe, readPeHeader, sessionArch } from '../../src/runtime/pe.js'

const test = suite('pe')
const folder = mkdtempSync(join(tmpdir(), 'zb-pe-'))
test.after(() => rmSync(folder, { recursive: true }))

/** A DLL of one section that exports `names` from ordinal `base`, and one routine by ordinal alone. */
function makeDll(machine: number, names: readonly string[], base = 5): Buffer {
  const wide = machine !== 0x14c
  const optionalLength = (wide ? 112 : 96) + 8
  const file = Buffer.alloc(0x800)
  file.write('MZ')
  file.writeUInt32LE(0x40, 0x3c)
  file.write('PE\0\0', 0x40, 'latin1')
  file.writeUInt16LE(machine, 0x44)
  file.writeUInt16LE(1, 0x46)
  file.writeUInt16LE(optionalLength, 0x54)
  file.writeUInt16LE(0x2002, 0x56)
  const optional = 0x58
  file.writeUInt16LE(wide ? 0x20b : 0x10b, optional)
  file.writeUInt32LE(1, optional + optionalLength - 12)
  file.writeUInt32LE(0x1000, optional + optionalLength - 8)
  file.writeUInt32LE(0x300, optional + optionalLength - 4)
  const section = optional + optionalLength
  file.writeUInt32LE(0x600, section + 8)
  file.writeUInt32LE(0x1000, section + 12)
  file.writeUInt32LE(0x600, section + 16)
  file.writeUInt32LE(0x200, section + 20)
  const at = 0x200
  file.writeUInt32LE(base, at + 16)
  file.writeUInt32LE(names.length + 1, at + 20)
  file.writeUInt32LE(names.length, at + 24)
  file.writeUInt32LE(0x1100, at + 28)
  file.writeUInt32LE(0x1180, at + 32)
  file.writeUInt32LE(0x1200, at + 36)
  let text = 0x240
  for (let i = 0; i <= names.length; i++) file.writeUInt32LE(0x1500 + i, at + 0x100 + i * 4)
  names.forEach((name, i) => {
    file.writeUInt32LE(0x1000 + text, at + 0x180 + i * 4)
    file.writeUInt16LE(i, at + 0x200 + i * 2)
    text += file.write(`${name}\0`, at + text, 'utf8')
  })
  return file
}

function write(bytes: Buffer): string {
  const path = join(folder, 'x.dll')
  writeFileSync(path, bytes)
  return path
}

test('architecture and exports', () => {
  for (const [machine, arch] of [
    [0x8664, 'win64'],
    [0x14c, 'win32'],
    [0xaa64, 'arm64'],
    [0x1c4, 'other'],
  ] as const) {
    const pe = readPe(write(makeDll(machine, ['add', 'sub@8'])))
    assert.equal(pe, {
      machine,
      arch,
      isDll: true,
      isManaged: false,
      exports: [{ name: 'add', ordinal: 5 }, { name: 'sub@8', ordinal: 6 }, { ordinal: 7 }],
    })
    assert.is(readPeHeader(write(makeDll(machine, []))).arch, arch)
  }
})

/** The same DLL as an assembly of .NET, with flags in its CLI header. */
function makeAssembly(flags: number): Buffer {
  const dll = makeDll(0x14c, [])
  const directories = 0x58 + 96
  const file = Buffer.alloc(dll.length)
  // its table of sections moves behind sixteen directories
  dll.copy(file, 0, 0, directories + 8)
  dll.copy(file, directories + 128, directories + 8, directories + 48)
  dll.copy(file, 0x200, 0x200)
  file.writeUInt16LE(96 + 128, 0x54)
  file.writeUInt32LE(16, directories - 4)
  file.writeUInt32LE(0x1300, directories + 8 * 14)
  file.writeUInt32LE(72, directories + 8 * 14 + 4)
  file.writeUInt32LE(flags, 0x200 + 0x300 + 16)
  return file
}

test('which sessions can load a DLL', () => {
  const arch = (bytes: Buffer) => sessionArch('x.dll', readPeHeader(write(bytes)))
  const refused = (bytes: Buffer, words: RegExp) =>
    assert.throws(
      () => arch(bytes),
      (error: unknown) => error instanceof WrongArchitectureError && words.test(error.message),
    )
  assert.is(arch(makeDll(0x8664, [])), 'win64')
  assert.is(arch(makeDll(0x14c, [])), 'win32')
  refused(makeDll(0xaa64, []), /^x\.dll is for ARM64: /)
  refused(makeDll(0x1c4, []), /^x\.dll is for another machine \(0x1c4\): /)
  refused(makeAssembly(1), /^x\.dll is a \.NET assembly: /)
  // C++ with managed parts has machine code, too
  assert.is(arch(makeAssembly(0)), 'win32')
})

test('programs of older systems are named', () => {
  for (const [kind, words] of [
    ['NE', /x\.dll is for 16-bit Windows \(NE\): /],
    ['LE', /\(LE\)/],
    ['LX', /OS\/2 \(LX\)/],
  ] as const) {
    const file = makeDll(0x14c, [])
    file.write(`${kind}\x05\x3c`, 0x40, 'latin1')
    for (const read of [readPe, readPeHeader])
      assert.throws(
        () => read(write(file)),
        (error: unknown) => error instanceof WrongArchitectureError && words.test(error.message),
      )
  }
  assert.throws(() => readPe('/bin/true'), /it is for Linux \(ELF\)/)
})

test('every truncation is a DllNotFoundError or what is there, never another error', () => {
  const whole = makeDll(0x8664, ['add', 'sub'])
  for (let length = 0; length < whole.length; length += 3) {
    const path = write(whole.subarray(0, length))
    try {
      readPe(path)
    } catch (error) {
      assert.instance(error, DllNotFoundError, `${length}: ${error}`)
    }
  }
})

test('a DLL that is cut short by a byte is told from one that is whole', () => {
  const source = join(folder, 'cut.c')
  const whole = join(folder, 'whole.dll')
  writeFileSync(source, '__declspec(dllexport) int one(void) { return 1; }')
  // with its symbols behind the sections, and without
  for (const options of [[], ['-s']]) {
    execFileSync('x86_64-w64-mingw32-gcc', ['-shared', ...options, '-o', whole, source])
    assert.is(readPeHeader(whole).arch, 'win64')
    const bytes = readFileSync(whole)
    const cut = join(folder, 'cut.dll')
    for (const missing of [1, 100, bytes.length >> 1]) {
      writeFileSync(cut, bytes.subarray(0, bytes.length - missing))
      assert.throws(
        () => readPeHeader(cut),
        (error: unknown) => error instanceof DllNotFoundError && /cut short|it ends within/.test(error.message),
      )
    }
  }
})

test('any damage is a DllNotFoundError, at once', () => {
  const whole = makeDll(0x14c, ['add', 'sub'])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(0x3ff), fc.nat(255)), { minLength: 1, maxLength: 12 }), changes => {
      const bytes = Buffer.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      try {
        readPe(write(bytes))
      } catch (error) {
        assert.ok(error instanceof DllNotFoundError || error instanceof WrongArchitectureError)
      }
    }),
    { numRuns: 400 },
  )
})

test('names that all lie in one place are no more than the file', () => {
  const COUNT = 0x10000
  const LENGTH = 4000
  const many = makeDll(0x8664, [])
  const names = 0x1000 + many.length
  const file = Buffer.concat([many, Buffer.alloc(10 * COUNT), Buffer.from(`${'x'.repeat(LENGTH)}\0`)])
  const at = 0x200
  // the section goes to the end of the file
  const header = file.indexOf('PE\0\0', 0, 'latin1')
  const section = header + 24 + file.readUInt16LE(header + 20)
  file.writeUInt32LE(file.length - at, section + 16)
  file.writeUInt32LE(COUNT, at + 20)
  file.writeUInt32LE(COUNT, at + 24)
  file.writeUInt32LE(names - at, at + 28)
  file.writeUInt32LE(names - at + 4 * COUNT, at + 32)
  file.writeUInt32LE(names - at + 8 * COUNT, at + 36)
  for (let i = 0; i < COUNT; i++) {
    file.writeUInt32LE(0x1000, many.length + 4 * i)
    file.writeUInt32LE(names - at + 10 * COUNT, many.length + 4 * (COUNT + i))
    file.writeUInt16LE(i, many.length + 8 * COUNT + 2 * i)
  }
  assert.throws(
    () => readPe(write(file)),
    (error: unknown) => error instanceof DllNotFoundError && /longer than the file/.test(error.message),
  )
})

test('no file, a folder, a text, a FIFO that nobody writes to', () => {
  execFileSync('mkfifo', [join(folder, 'fifo')])
  for (const path of [join(folder, 'none.dll'), folder, write(Buffer.from('hello')), join(folder, 'fifo')])
    assert.throws(
      () => readPe(path),
      (error: unknown) => error instanceof DllNotFoundError,
    )
  assert.ok(readFileSync(join(folder, 'x.dll')).length > 0)
})

test.run()
