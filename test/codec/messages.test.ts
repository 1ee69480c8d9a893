import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { ByteBuffer } from 'flatbuffers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeOutcome, encodeControl } from '../../dist/src/codec/control.js'
import { createEncoder } from '../../dist/src/codec/encoder.js'
import { Batch as BatchAt, Call as CallAt, Return as ReturnAt } from '../../dist/src/codec/layout.js'
import { Batch } from '../../src/codec/generated/batch.js'
import { Call } from '../../src/codec/generated/call.js'
import { Control } from '../../src/codec/generated/control.js'
import { Return } from '../../src/codec/generated/return.js'
import { outcome } from './outcome.js'

const test = suite('messages')
const encoder = createEncoder()
const bytes = new Uint8Array(encoder.message.buffer)

/** What `write` writes, over memory that was full of something else, as the stock reader wants it. */
function written(size: number, write: () => void): ByteBuffer {
  bytes.fill(0xa5, 0, size + 64)
  write()
  const behind = bytes.slice(size, size + 64)
  assert.ok(
    behind.every(byte => byte === 0xa5),
    'written behind the end',
  )
  return new ByteBuffer(bytes.slice(0, size))
}

const id = fc.maxSafeNat()
const u32 = fc.nat(0xffffffff)
const i32 = fc.integer()
const edge = fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324)
const argument = fc.oneof(
  fc.record({ as: fc.constant('int' as const), low: i32, high: i32 }),
  fc.record({ as: fc.constant('address' as const), value: id }),
  fc.record({ as: fc.constant('float' as const), value: fc.oneof(fc.float(), edge) }),
  fc.record({ as: fc.constant('double' as const), value: fc.oneof(fc.double(), edge) }),
)

const cell = new DataView(new ArrayBuffer(8))
const wordsOf = (low: number, high: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)

/** Bits that a number must have; NaN may have any payload, so it is compared by value. */
function checkArgument(given: typeof argument extends fc.Arbitrary<infer A> ? A : never, bits: bigint): void {
  cell.setBigUint64(0, bits, true)
  if (given.as === 'int') assert.is(bits, wordsOf(given.low, given.high))
  else if (given.as === 'address') assert.is(bits, BigInt(given.value))
  else if (given.as === 'float') {
    assert.ok(Object.is(cell.getFloat32(0, true), Math.fround(given.value)), `${given.value} as float`)
    assert.is(cell.getUint32(4, true), 0)
  } else assert.ok(Object.is(cell.getFloat64(0, true), given.value), `${given.value} as double`)
}

test('Call: up to 200 arguments of every sort', () => {
  fc.assert(
    fc.property(id, u32, u32, fc.array(argument, { maxLength: 200 }), (texts, routine, textRoom, args) => {
      const buffer = written(CallAt.arguments + 8 * args.length, () => {
        args.forEach((one, i) => {
          if (one.as === 'int') encoder.int(i, one.low, one.high)
          else if (one.as === 'address') encoder.address(i, one.value)
          else if (one.as === 'float') encoder.float(i, one.value)
          else encoder.double(i, one.value)
        })
        encoder.call(routine, args.length)
        encoder.textRoom(texts, textRoom)
      })
      const table = Call.getRootAsCall(buffer)
      assert.is(table.texts(), BigInt(texts))
      assert.is(table.routine(), routine)
      assert.is(table.textRoom(), textRoom)
      assert.is(table.argumentsLength(), args.length)
      args.forEach((one, i) => checkArgument(one, table.arguments_(i)?.bits() ?? -1n))
    }),
  )
})

test('Call: exactly 200 arguments, no room for texts', () => {
  const buffer = written(CallAt.arguments + 1600, () => {
    for (let i = 0; i < 200; i++) encoder.int(i, i, -i)
    encoder.call(0xffffffff, 200)
  })
  const table = Call.getRootAsCall(buffer)
  assert.is(table.texts(), 0n)
  assert.is(table.routine(), 0xffffffff)
  for (let i = 0; i < 200; i++) assert.is(table.arguments_(i)?.bits(), wordsOf(i, -i))
})

test('Batch: up to 20 columns', () => {
  const column = fc.record({ pointer: id, stride: i32, kind: u32 })
  const head = fc.record({
    texts: id,
    routine: u32,
    flags: u32,
    rows: u32,
    stride: u32,
    capacity: u32,
    kind: u32,
    textRoom: u32,
  })
  const places = fc.record({ results: id, errors: id, lastErrors: id })
  fc.assert(
    fc.property(head, places, fc.array(column, { maxLength: 20 }), (given, at, columns) => {
      const buffer = written(BatchAt.columns + BatchAt.columnSize * columns.length, () => {
        columns.forEach(({ pointer, stride, kind }, i) => encoder.column(i, BigInt(pointer), stride, kind))
        const { texts, routine, flags, rows, stride, capacity, kind, textRoom } = given
        const { results, errors, lastErrors } = at
        const count = columns.length
        encoder.batch(texts, routine, flags, rows, stride, results, errors, lastErrors, capacity, kind, count, textRoom)
      })
      const table = Batch.getRootAsBatch(buffer)
      const read = {
        texts: Number(table.texts()),
        routine: table.routine(),
        flags: table.flags(),
        rows: table.rows(),
        stride: table.resultStride(),
        capacity: table.errorCapacity(),
        kind: table.resultKind(),
        textRoom: table.textRoom(),
      }
      assert.equal(read, { ...given })
      assert.is(table.results(), BigInt(at.results))
      assert.is(table.errors(), BigInt(at.errors))
      assert.is(table.lastErrors(), BigInt(at.lastErrors))
      assert.is(table.columnsLength(), columns.length)
      columns.forEach(({ pointer, stride, kind }, i) => {
        const row = table.columns(i)
        assert.is(row?.pointer(), BigInt(pointer))
        assert.is(row?.stride(), BigInt(stride))
        assert.is(row?.kind(), BigInt(kind))
      })
    }),
  )
})

test('Return: every bit of the result', () => {
  fc.assert(
    fc.property(i32, i32, (low, high) => {
      const table = Return.getRootAsReturn(written(ReturnAt.size, () => encoder.answer(low, high)))
      assert.is(table.result(), wordsOf(low, high))
    }),
  )
})

test('two encoders write the same, each in a memory of its own', () => {
  const other = createEncoder()
  const made = written(CallAt.arguments + 16, () => encoder.call(7, 2)).bytes()
  assert.not.equal([...new Uint8Array(other.message.buffer, 0, CallAt.arguments)], [...made.slice(0, CallAt.arguments)])
  other.call(7, 2)
  assert.equal([...new Uint8Array(other.message.buffer, 0, CallAt.arguments)], [...made.slice(0, CallAt.arguments)])
})

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

test('Control', () => {
  const op = fc.nat(255)
  fc.assert(
    fc.property(op, fc.array(i64), fc.array(text), id, u32, (which, numbers, texts, room, roomSize) => {
      const table = Control.getRootAsControl(new ByteBuffer(encodeControl(which, numbers, texts, room, roomSize)))
      assert.is(table.op(), which)
      assert.is(table.room(), BigInt(room))
      assert.is(table.roomSize(), roomSize)
      assert.equal(
        Array.from({ length: table.numbersLength() }, (_, i) => table.numbers(i)),
        numbers,
      )
      assert.equal(
        Array.from({ length: table.textsLength() }, (_, i) => table.texts(i)),
        texts,
      )
    }),
  )
})

test('Outcome of a stock Builder', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(i64), fc.array(text), (ok, numbers, texts) => {
      assert.equal(decodeOutcome(outcome(ok, numbers, texts)), { ok, numbers, texts })
    }),
  )
})

/** Decodes each in a process of its own, which may neither hang nor run out of memory; gives what became of each. */
function decodeAside(all: readonly Uint8Array[]): string[] {
  const module = fileURLToPath(new URL('../../dist/src/codec/control.js', import.meta.url))
  const script = `const { decodeOutcome } = await import(${JSON.stringify(module)})
    const out = []
    for (const text of JSON.parse(process.argv[1])) {
      try { decodeOutcome(new Uint8Array(Buffer.from(text, 'hex'))); out.push('value') }
      catch (error) { out.push(error.name) }
    }
    console.log(JSON.stringify(out))`
  const hex = JSON.stringify(all.map(one => Buffer.from(one).toString('hex')))
  const options = { timeout: 8000, encoding: 'utf8', killSignal: 'SIGKILL' } as const
  const flags = ['--max-old-space-size=256', '--input-type=module', '-e', script, hex]
  const child = spawnSync(process.execPath, flags, options)
  assert.is(child.status, 0, `decodeOutcome hung or ran out of memory (${child.signal}) ${child.stderr.slice(-300)}`)
  return JSON.parse(child.stdout)
}

for (const [field, length] of [
  ['numbers', 0x7fffffff],
  ['numbers', 1000],
  ['texts', 0x7fffffff],
  ['texts', 1000],
] as const) {
  test(`an Outcome whose ${field} claim to be ${length} is refused`, () => {
    const made = outcome(true, [1n, 2n], ['a', 'b'])
    const view = new DataView(made.buffer, made.byteOffset, made.byteLength)
    const table = view.getUint32(0, true)
    const vtable = table - view.getInt32(table, true)
    const at = table + view.getUint16(vtable + (field === 'numbers' ? 6 : 8), true)
    view.setUint32(at + view.getUint32(at, true), length, true)
    assert.equal(decodeAside([made]), ['ZugbrueckeError'])
  })
}

test('an Outcome with one length below zero and one far above is refused', () => {
  const made = outcome(true, [1n, 2n], ['a', 'b'])
  const view = new DataView(made.buffer, made.byteOffset, made.byteLength)
  const table = view.getUint32(0, true)
  const vtable = table - view.getInt32(table, true)
  for (const [entry, length] of [
    [6, -0x10000000],
    [8, 0x1fffffff],
  ]) {
    const at = table + view.getUint16(vtable + entry, true)
    view.setInt32(at + view.getUint32(at, true), length, true)
  }
  assert.equal(decodeAside([made]), ['ZugbrueckeError'])
})

test('an Outcome cut short is refused', () => {
  const made = outcome(true, [1n, 2n], ['one', 'two'])
  const cut = Array.from({ length: made.length / 2 }, (_, i) => made.slice(0, i))
  assert.equal(
    decodeAside(cut),
    cut.map(() => 'ZugbrueckeError'),
  )
})

test('garbage for an Outcome gives values or an error of ours', () => {
  const made = outcome(true, [1n, -1n], ['one', 'two'])
  const mutated = fc
    .array(fc.tuple(fc.nat(made.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map(changes => {
      const copy = made.slice()
      for (const [at, value] of changes) copy[at] = value
      return copy
    })
  const all = fc.sample(fc.oneof(mutated, fc.uint8Array({ maxLength: 64 })), { numRuns: 400, seed: 1 })
  for (const what of decodeAside(all)) assert.ok(what === 'value' || what === 'ZugbrueckeError', what)
})

test.run()
