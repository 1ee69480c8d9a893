/** PE files: real DLLs that are changed in their headers and tables, anywhere, or cut; and headers of random bytes. */
import { ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { DllNotFoundError, WrongArchitectureError, ZugbrueckeError } from 'zugbruecke'
import { type Pe, readPe, readPeHeader, readPeImports } from '../../dist/src/runtime/pe.js'
import { dll } from '../dlls/build.js'
import { borders, type Fuzzer, type Outcome, refusedOr } from './fuzzer.js'

const folder = mkdtempSync(join(tmpdir(), 'zb-fuzz-pe-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const path = join(folder, 'x.dll')
const file = openSync(path, 'w+')

interface Original {
  readonly bytes: Buffer
  readonly pe: Pe
  readonly imports: readonly string[]
  /** Offsets of what is read: headers and tables; what lies elsewhere does not matter. */
  readonly headers: number
  readonly exports: { readonly from: number; readonly to: number }
  readonly importsAt: { readonly from: number; readonly to: number }
}

function original(name: string): Original {
  const bytes = readFileSync(name)
  const at = bytes.readUInt32LE(0x3c)
  const optional = at + 24
  const directories = optional + (bytes.readUInt16LE(optional) === 0x20b ? 112 : 96)
  const table = optional + bytes.readUInt16LE(at + 20)
  const sections = Array.from({ length: bytes.readUInt16LE(at + 6) }, (_, i) => table + 40 * i)
  /** The whole section that a directory lies in, for its names may lie anywhere there. */
  const around = (directory: number) => {
    const address = bytes.readUInt32LE(directories + 8 * directory)
    const section = sections.find(
      one =>
        address >= bytes.readUInt32LE(one + 12) &&
        address < bytes.readUInt32LE(one + 12) + bytes.readUInt32LE(one + 16),
    ) as number
    const from = bytes.readUInt32LE(section + 20)
    return { from, to: from + bytes.readUInt32LE(section + 16) }
  }
  const headers = table + 40 * sections.length
  return { bytes, pe: readPe(name), imports: readPeImports(name), headers, exports: around(0), importsAt: around(1) }
}

const originals = (['win64', 'win32'] as const).flatMap(arch => [
  original(dll('numbers', arch)),
  original(dll('tiny', arch)),
])

type Change =
  | { readonly kind: 'cut'; readonly length: number }
  | { readonly kind: 'bytes'; readonly at: number; readonly bytes: Uint8Array }
interface Input {
  readonly which: number
  readonly changes: readonly Change[]
}

const word = (value: number) => Uint8Array.from([0, 8, 16, 24], shift => (value >>> shift) & 0xff)

function changesOf({ bytes, headers, exports }: Original): fc.Arbitrary<Change> {
  const change = (at: fc.Arbitrary<number>, made: fc.Arbitrary<Uint8Array>) =>
    fc.record({ kind: fc.constant('bytes' as const), at, bytes: made })
  const inHeaders = fc.nat(headers - 1)
  const inTable = fc.integer({ min: exports.from, max: exports.from + 39 })
  const size = borders(bytes.length, headers, exports.from, exports.to, 0x1000)
  return fc.oneof(
    {
      weight: 4,
      arbitrary: change(
        inHeaders.map(at => at & ~3),
        size.map(word),
      ),
    },
    {
      weight: 2,
      arbitrary: change(
        inTable.map(at => at & ~3),
        size.map(word),
      ),
    },
    { weight: 2, arbitrary: change(inHeaders, fc.uint8Array({ minLength: 1, maxLength: 2 })) },
    {
      weight: 1,
      arbitrary: change(
        fc.integer({ min: exports.from, max: exports.to - 1 }),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
      ),
    },
    { weight: 1, arbitrary: change(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 4 })) },
    { weight: 1, arbitrary: change(inHeaders, fc.uint8Array({ minLength: 16, maxLength: headers })) },
    { weight: 1, arbitrary: fc.nat(bytes.length).map((length): Change => ({ kind: 'cut', length })) },
  )
}

function put({ which, changes }: Input): void {
  const bytes = Buffer.from(originals[which].bytes)
  let { length } = bytes
  for (const change of changes) {
    if (change.kind === 'cut') length = Math.min(length, change.length)
    else bytes.set(change.bytes.subarray(0, bytes.length - change.at), change.at)
  }
  ftruncateSync(file, length)
  writeSync(file, bytes, 0, length, 0)
}

/** Does a change touch anything that is read? */
function matters({ bytes, headers, exports, importsAt }: Original, change: Change): boolean {
  if (change.kind === 'cut') return true
  const end = Math.min(change.at + change.bytes.length, bytes.length)
  return change.at < headers || [exports, importsAt].some(({ from, to }) => change.at < to && end > from)
}

function checkShape({ arch, exports, isDll, isManaged }: Pe): void {
  assert.ok(
    ['win32', 'win64', 'arm64', 'other'].includes(arch) && typeof isDll === 'boolean' && typeof isManaged === 'boolean',
  )
  let last = -1
  for (const { name, ordinal, forward } of exports) {
    assert.ok(Number.isInteger(ordinal) && ordinal >= last, `ordinal ${ordinal} behind ${last}`)
    last = ordinal
    for (const text of [name, forward]) assert.ok(text === undefined || !text.includes('\0'), text)
  }
}

function look(input: Input): Outcome {
  put(input)
  const was = originals[input.which]
  const [pe, header, imports] = [() => readPe(path), () => readPeHeader(path), () => readPeImports(path)].map(read =>
    refusedOr<unknown>(read),
  )
  for (const answer of [pe, header, imports])
    if (answer instanceof ZugbrueckeError)
      assert.ok(
        (answer instanceof DllNotFoundError || answer instanceof WrongArchitectureError) &&
          answer.message.includes(path),
      )
  if (!(pe instanceof Error)) {
    checkShape(pe as Pe)
    const { exports: _, ...rest } = pe as Pe
    assert.equal(header, rest)
  }
  if (!input.changes.some(change => matters(was, change))) {
    assert.ok(isDeepStrictEqual(pe, was.pe), 'what is not read has changed the answer')
    assert.ok(isDeepStrictEqual(imports, was.imports))
  }
  return [pe, header, imports].some(answer => answer instanceof Error) ? 'refused' : 'taken'
}

export const changed: Fuzzer<Input> = {
  name: 'DLLs with changed headers, tables and bytes',
  inputs: fc.nat(originals.length - 1).chain(which =>
    fc.record({
      which: fc.constant(which),
      changes: fc.array(changesOf(originals[which]), { minLength: 1, maxLength: 4 }),
    }),
  ),
  act: look,
  few: 1500,
  kept: [],
}

/** A linker's file ends with its last section: whatever is missing is of that. */
export const cut: Fuzzer<{ which: number; length: number }> = {
  name: 'DLLs that are cut short',
  inputs: fc
    .nat(originals.length - 1)
    .chain(which => fc.record({ which: fc.constant(which), length: fc.nat(originals[which].bytes.length - 1) })),
  act: ({ which, length }) => {
    const outcome = look({ which, changes: [{ kind: 'cut', length }] })
    assert.is(outcome, 'refused', `${length} bytes are enough`)
    return outcome
  },
  few: 500,
  kept: [],
}
