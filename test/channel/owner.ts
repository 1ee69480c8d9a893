/** A thread that makes a segment, looks at it, and ends it if it is told to. */
import { parentPort } from 'node:worker_threads'
import { endMapping, forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { closeSegment, createSegment, openBell } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'

const state = new SharedState()
const segment = createSegment(1 << 20, state, [0, 1])
const { u8 } = new Mapping(segment, state, 1)
u8[0x300000] = 1
openBell(segment, state, 5)
parentPort?.postMessage({ segment, memory: state.memory })
parentPort?.once('message', () => {
  closeSegment(segment, state)
  endMapping(segment, state)
  forgetView(segment, state, 1)
})
