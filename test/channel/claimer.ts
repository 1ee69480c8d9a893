/** A thread that makes requests as fast as it can. */
import { workerData } from 'node:worker_threads'
import { Mapping } from '../../dist/src/channel/mapping.js'
import { Ring } from '../../dist/src/channel/ring.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { Kind } from '../../dist/src/codec/layout.js'

const { segment, memory, thread, each } = workerData as {
  segment: Segment
  memory: SharedArrayBuffer
  thread: number
  each: number
}
const state = new SharedState(memory)
const mapping = new Mapping(segment, state, thread)
const ring = new Ring(mapping, state, segment, thread)
const never = new Int32Array(new SharedArrayBuffer(4))
for (let i = 1; i <= each; ) {
  while (ring.outstanding > 0 && Atomics.load(mapping.i32, ring.expectedAt) === ring.expected) ring.take()
  if (ring.send(Int32Array.of(i, ~i ^ thread), 8, Kind.call)) i++
  else Atomics.wait(never, 0, 0, 0.2)
}
