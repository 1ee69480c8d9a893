/** What says that it copies does copy, also of Node's Buffers, whose `slice` gives a view of the same memory. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as ct from '../../src/ctypes/index.js'
import { snapshotValue } from '../../src/ctypes/snapshot.js'

const test = suite('copies')
const kinds = {
  Uint8Array: () => Uint8Array.of(1, 2, 3, 4),
  Buffer: () => Buffer.from([1, 2, 3, 4]),
  'Buffer of its own': () => Buffer.from(new Uint8Array([1, 2, 3, 4]).buffer),
  Uint8ClampedArray: () => Uint8ClampedArray.of(1, 2, 3, 4),
  DataView: () => new DataView(Uint8Array.of(1, 2, 3, 4).buffer),
  ArrayBuffer: () => Uint8Array.of(1, 2, 3, 4).buffer,
}
const first = (given: ArrayBuffer | ArrayBufferView) =>
  ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset) : new Uint8Array(given)

for (const [name, make] of Object.entries(kinds)) {
  test(`from_buffer_copy of ${name}`, () => {
    const given = make()
    const copy = ct.c_int.from_buffer_copy(given)
    const shared = ct.c_int.from_buffer(given)
    first(given)[0] = 9
    assert.is(copy.value, 0x04030201)
    assert.is(shared.value, 0x04030209)
    copy.value = 0
    assert.is(first(given)[0], 9)
  })

  test(`${name} in a structure that is passed by value`, () => {
    class Four extends ct.Structure({ bytes: ct.c_ubyte.array(4) }) {}
    const given = make()
    const kept = snapshotValue({ bytes: given }, Four as never)
    first(given)[0] = 9
    assert.equal([...new Four(kept as never).bytes], [1, 2, 3, 4])
  })
}

test.run()
