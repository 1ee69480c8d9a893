/** Control messages and outcomes: written by one side, read by FlatBuffers' own readers, and the other way round. */
import fc from 'fast-check'
import { ByteBuffer } from 'flatbuffers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeOutcome, encodeControl } from '../../dist/src/codec/control.js'
import { Control } from '../../dist/src/codec/generated/control.js'
import { outcome } from './outcome.js'

const test = suite('control messages and outcomes')
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'binary', maxLength: 50 })

test('a control message has what it was given', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 255 }),
      fc.array(i64, { maxLength: 10 }),
      fc.array(text, { maxLength: 5 }),
      fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: 0, max: 0xffffffff }),
      (op, numbers, texts, room, roomSize) => {
        const control = Control.getRootAsControl(new ByteBuffer(encodeControl(op, numbers, texts, room, roomSize)))
        assert.is(control.op(), op)
        assert.equal(
          Array.from({ length: control.numbersLength() }, (_, i) => control.numbers(i)),
          numbers,
        )
        assert.equal(
          Array.from({ length: control.textsLength() }, (_, i) => control.texts(i)),
          texts,
        )
        assert.is(control.room(), BigInt(room))
        assert.is(control.roomSize(), roomSize)
      },
    ),
  )
})

test('an outcome is read as it was written', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(i64, { maxLength: 10 }),
      fc.array(text, { maxLength: 5 }),
      (ok, numbers, texts) => {
        assert.equal(decodeOutcome(outcome(ok, numbers, texts)), { ok, numbers, texts })
      },
    ),
  )
})

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Where an outcome of ours has its vtable and its two lists. */
function places(bytes: Uint8Array) {
  const view = viewOf(bytes)
  const table = view.getUint32(0, true)
  const vtable = table - view.getInt32(table, true)
  const list = (entry: number) => {
    const field = table + view.getUint16(vtable + entry, true)
    return field + view.getUint32(field, true)
  }
  return { vtable, numbers: list(6), texts: list(8) }
}

test('what is no entry of the vtable is no list, and lists and texts are no longer than the outcome', () => {
  const good = () => outcome(true, [1n, 2n], ['abc', 'defg'])
  const at = places(good())
  const changed = (...changes: [offset: number, value: number][]) => {
    const bad = good()
    for (const [offset, value] of changes) viewOf(bad).setUint32(offset, value, true)
    return bad
  }

  // a vtable of nine bytes has half of the entry of `texts`, whose length would have had a reader read for minutes
  const half = changed([at.texts, 0x7fff_ffff])
  half[at.vtable] = 9
  assert.equal(decodeOutcome(half), { ok: true, numbers: [1n, 2n], texts: [] })
  assert.throws(() => decodeOutcome(changed([at.numbers, 0x7fff_ffff])), /damaged/)
  assert.throws(() => decodeOutcome(changed([at.texts, 0x7fff_ffff])), /damaged/)

  // a thousand texts that are all the same kilobyte
  const many = outcome(true, [], [...Array.from({ length: 1000 }, () => ''), 'a'.repeat(1024)])
  const view = viewOf(many)
  const { texts } = places(many)
  assert.is(view.getUint32(texts, true), 1001)
  const last = texts + 4 + 4 * 1000
  const text = last + view.getUint32(last, true)
  for (let entry = texts + 4; entry < last; entry += 4) view.setUint32(entry, text - entry, true)
  assert.throws(() => decodeOutcome(many), /damaged/)
})

test('an outcome that is damaged is an error or another outcome, never a hang or a read outside', () => {
  const good = outcome(true, [1n, 2n], ['abc', 'defg'])
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(good.length),
      (changes, length) => {
        const bad = good.slice(0, length)
        for (const [at, value] of changes) if (at < bad.length) bad[at] = value
        try {
          decodeOutcome(bad)
        } catch (error) {
          assert.instance(error, Error)
        }
      },
    ),
    { numRuns: 3000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
  )
})

test.run()
