/** What the WebAssembly encoder writes, read back by FlatBuffers' own readers. */
import fc from 'fast-check'
import { ByteBuffer } from 'flatbuffers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Shared, SlotState } from '../../dist/src/channel/shared.js'
import { createEncoder, createSharedMemory } from '../../dist/src/codec/encoder.js'
import { Batch } from '../../dist/src/codec/generated/batch.js'
import { Call } from '../../dist/src/codec/generated/call.js'
import { Return } from '../../dist/src/codec/generated/return.js'
import * as layout from '../../dist/src/codec/layout.js'

const test = suite('the encoder of WebAssembly')
const memory = createSharedMemory()
const encoder = createEncoder(memory)
const AT = 0x2_0000
const bytes = (length: number) => new ByteBuffer(new Uint8Array(memory.buffer).slice(AT, AT + length))
/** Whatever was there before must not show through. */
const dirty = () => new Uint8Array(memory.buffer).fill(0xa5, AT, AT + 0x4000)

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
/** Ids and addresses: exact as numbers. */
const u53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

const argument = fc.oneof(
  fc.record({ kind: fc.constant('int' as const), low: i32, high: i32 }),
  fc.record({ kind: fc.constant('float' as const), value: fc.float() }),
  fc.record({ kind: fc.constant('double' as const), value: fc.double() }),
  fc.record({ kind: fc.constant('address' as const), value: u53 }),
)
type Argument = typeof argument extends fc.Arbitrary<infer T> ? T : never

function bits(argument: Argument): bigint {
  const view = new DataView(new ArrayBuffer(8))
  if (argument.kind === 'int') {
    view.setInt32(0, argument.low, true)
    view.setInt32(4, argument.high, true)
  } else if (argument.kind === 'float') view.setFloat32(0, argument.value, true)
  else if (argument.kind === 'double') view.setFloat64(0, argument.value, true)
  else view.setBigUint64(0, BigInt(argument.value), true)
  return view.getBigUint64(0, true)
}

function put(index: number, argument: Argument): void {
  if (argument.kind === 'int') encoder.int(AT, index, argument.low, argument.high)
  else encoder[argument.kind](AT, index, argument.value)
}

test('Call', () => {
  fc.assert(
    fc.property(u53, u32, u32, fc.array(argument, { maxLength: 40 }), (texts, routine, textRoom, given) => {
      dirty()
      given.forEach((each, i) => put(i, each))
      encoder.call(AT, routine, given.length)
      if (textRoom > 0) encoder.textRoom(AT, texts, textRoom)
      const call = Call.getRootAsCall(bytes(layout.Call.arguments + 8 * given.length))
      assert.is(call.texts(), textRoom > 0 ? BigInt(texts) : 0n)
      assert.is(call.routine(), routine)
      assert.is(call.textRoom(), textRoom)
      assert.is(call.argumentsLength(), given.length)
      given.forEach((each, i) => assert.is(call.arguments_(i)?.bits(), bits(each)))
    }),
  )
})

test('Batch', () => {
  const column = fc.record({ pointer: u53, stride: i32, kind: fc.integer({ min: 1, max: 127 }) })
  fc.assert(
    fc.property(
      fc.record({ texts: u53, results: u53, errors: u53, lastErrors: u53 }),
      fc.record({
        routine: u32,
        flags: u32,
        rows: u32,
        resultStride: u32,
        errorCapacity: u32,
        resultKind: u32,
        textRoom: u32,
      }),
      fc.array(column, { maxLength: 40 }),
      (wide, narrow, columns) => {
        dirty()
        const { texts, results, errors, lastErrors } = wide
        const { routine, flags, rows, resultStride, errorCapacity, resultKind, textRoom } = narrow
        columns.forEach(({ pointer, stride, kind }, i) => encoder.column(AT, i, BigInt(pointer), stride, kind))
        encoder.batch(
          AT,
          texts,
          routine,
          flags,
          rows,
          resultStride,
          results,
          errors,
          lastErrors,
          errorCapacity,
          resultKind,
          columns.length,
          textRoom,
        )
        const batch = Batch.getRootAsBatch(bytes(layout.Batch.columns + layout.Batch.columnSize * columns.length))
        assert.equal(
          [batch.texts(), batch.results(), batch.errors(), batch.lastErrors()],
          [texts, results, errors, lastErrors].map(BigInt),
        )
        assert.equal(
          [
            batch.routine(),
            batch.flags(),
            batch.rows(),
            batch.resultStride(),
            batch.errorCapacity(),
            batch.resultKind(),
            batch.textRoom(),
          ],
          [routine, flags, rows, resultStride, errorCapacity, resultKind, textRoom],
        )
        assert.is(batch.columnsLength(), columns.length)
        columns.forEach(({ pointer, stride, kind }, i) => {
          const read = batch.columns(i)
          assert.equal([read?.pointer(), read?.stride(), read?.kind()], [BigInt(pointer), BigInt(stride), BigInt(kind)])
        })
      },
    ),
  )
})

test('Return', () => {
  fc.assert(
    fc.property(i32, i32, (low, high) => {
      dirty()
      encoder.answer(AT, low, high)
      const wanted = BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0))
      assert.is(Return.getRootAsReturn(bytes(layout.Return.size)).result(), wanted)
    }),
  )
})

test('the header of a slot', () => {
  fc.assert(
    fc.property(u32, u32, u32, u32, (sequence, length, tag, extra) => {
      dirty()
      encoder.header(AT, sequence, length, tag, extra)
      assert.equal([...new Uint32Array(memory.buffer, AT, 4)], [sequence, length, tag, extra])
      assert.is(new Uint8Array(memory.buffer)[AT + 16], 0xa5)
    }),
  )
})

test('send claims a slot, copies and publishes, until the ring is full; a number may wrap', () => {
  const i32 = new Int32Array(memory.buffer)
  const u8 = new Uint8Array(memory.buffer)
  const { SLOTS, REQUEST_OFFSET, REQUEST_SIZE, MESSAGE } = layout
  const from = layout.ARENA_OFFSET
  i32[Shared.tail] = -3 // three before the number wraps
  for (let i = 0; i < SLOTS; i++) {
    const number = (i - 2) >>> 0
    const slot = REQUEST_OFFSET + ((number - 1) & (SLOTS - 1)) * REQUEST_SIZE
    u8.fill(i & 0xff, from, from + 64)
    assert.is(i32[Shared.slotState + ((number - 1) & (SLOTS - 1))], SlotState.free)
    assert.is(encoder.send(from, 64, 0x0201), number)
    assert.equal([...new Uint32Array(memory.buffer, slot, 4)], [number, 64, 0x0201, 0])
    assert.ok(u8.subarray(slot + MESSAGE, slot + MESSAGE + 64).every(byte => byte === (i & 0xff)))
    assert.is(i32[Shared.slotState + ((number - 1) & (SLOTS - 1))], SlotState.published)
  }
  assert.is(encoder.send(from, 64, 0x0201), -1)
  assert.is(i32[Shared.tail], SLOTS - 3)
  i32.fill(SlotState.free, Shared.slotState, Shared.slotState + SLOTS)
})

test('two encoders over one memory write the same', () => {
  const other = createEncoder(memory)
  encoder.call(AT, 7, 2)
  const one = new Uint8Array(memory.buffer).slice(AT, AT + 64)
  dirty()
  other.call(AT, 7, 2)
  assert.equal(new Uint8Array(memory.buffer).slice(AT, AT + 48), one.slice(0, 48))
})

test.run()
