/** A thread that uses a fake host's session, as one that has joined does. What it does is said by `act`. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { ArenaRequest, Ask, makeLane, Request } from './fake-host.js'

export interface MemberData {
  readonly segment: Segment
  readonly memory: SharedArrayBuffer
  readonly turns: SharedArrayBuffer
  readonly thread: number
  readonly act: 'sum' | 'storm' | 'call back and hang' | 'call back for ever' | 'wait'
  readonly count?: number
}

const { segment, memory, turns, thread, act, count = 0 } = workerData as MemberData
const state = new SharedState(memory)
let hang = false
const lane = makeLane({ segment, state, turns }, thread, {
  // its own answer never comes
  ...(act === 'call back and hang' ? { onCallback: () => (hang = true) } : {}),
})
parentPort?.postMessage('ready')

/** Awaited in bursts, and blocking: each has the result of its own. */
async function sum(): Promise<void> {
  for (let round = 0; round < count; round++) {
    const burst = Array.from({ length: 1 + ((round * 37) % 300) }, (_, i) => new Request([Ask.add, thread, i]))
    for (const request of burst) lane.submit(request)
    const blocking = new Request([Ask.add, 1000 * thread, round])
    lane.submitSync(blocking)
    if (blocking.result !== 1000 * thread + round) throw new Error(`${blocking.result} is another's`)
    for (const [i, request] of burst.entries())
      if ((await request.done) !== thread + i) throw new Error(`${request.result} is another's`)
  }
}

if (act === 'sum') {
  await sum()
  parentPort?.postMessage('done')
} else if (act === 'storm') {
  // no turn of the event loop: it is ended in the middle of it
  for (let i = 0; ; i++) {
    const request =
      i % 7 === 0 ? new ArenaRequest([Ask.add, i & 0xff, 1], 100 + (i % 9000)) : new Request([Ask.add, i & 0xff, 1])
    if (i % 64 === 0) lane.submitSync(request)
    else lane.submit(request, true)
  }
} else if (act === 'call back and hang') {
  lane.submit(new Request([Ask.callBack, (thread << 24) | 1, 1]))
  const look = setInterval(() => {
    if (!hang) return
    clearInterval(look)
    parentPort?.postMessage('called back')
  }, 5)
} else if (act === 'call back for ever') {
  for (;;) lane.submitSync(new Request([Ask.callBack, (thread << 24) | 1, 20]))
} else {
  const request = new Request([Ask.wait, count])
  lane.submitSync(request)
  parentPort?.postMessage(request.error ? 'failed' : 'done')
}
