/** A message that is too long for its port lies in the arena, and the port is told where. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Port, type Sender, sendFromArena } from '../../dist/src/channel/exchange.js'
import { Kind, MESSAGE_IN_ARENA } from '../../dist/src/codec/layout.js'
import { endSegment, makeSegment, withMapping } from './support.js'

const test = suite('exchange')

test('its bytes lie at the offset, the port gets that, their number and the flag; what the port says is the answer', () => {
  const made = makeSegment()
  const told: unknown[] = []
  try {
    withMapping(made, mapping => {
      const at = made.segment.size - 128
      const bytes = Uint8Array.from({ length: 100 }, (_, i) => i + 1)
      for (const taken of [true, false]) {
        const port: Port = {
          room: 8,
          send(message, length, tag) {
            told.push([[...message], length, tag])
            return taken
          },
        }
        assert.is(sendFromArena({ mapping } as Sender, port, bytes, at, Kind.control), taken)
      }
      assert.equal([...mapping.u8.slice(at - 1, at + 101)], [0, ...bytes, 0])
      const wanted = [[at], 100, Kind.control | (MESSAGE_IN_ARENA << 16)]
      assert.equal(told, [wanted, wanted])
    })
  } finally {
    endSegment(made)
  }
})

test.run()
