/** A thread that reads through the memory window, and looks at what it gets. */
import { workerData } from 'node:worker_threads'
import { Mapping } from '../../dist/src/channel/mapping.js'
import { MemoryWindow } from '../../dist/src/channel/memory-window.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { Life, SharedState } from '../../dist/src/channel/shared.js'

const { segment, memory, thread } = workerData as { segment: Segment; memory: SharedArrayBuffer; thread: number }
const state = new SharedState(memory)
const window = new MemoryWindow(new Mapping(segment, state, thread), state, segment, thread, () => {
  if (state.life() === Life.dead) throw new Error('it is dead')
})
for (let i = 0; i < 60; i++) {
  const bytes = new Uint8Array(100)
  const address = 0x5000 + 1000 * thread + i
  if (!window.read(BigInt(address), bytes)) throw new Error('refused')
  for (const [k, byte] of bytes.entries()) if (byte !== ((address + k) & 0xff)) throw new Error('another’s bytes')
}
