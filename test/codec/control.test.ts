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
