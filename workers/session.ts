/**
 * A session's worker thread. A short Piscina task starts it: it makes the segment, and leaves behind a loop that carries the
 * session's requests between shared memory and the Windows process for as long as the session lives.
 */

import type { Socket } from 'node:net'
import { watchIdleDoorbell } from '../src/channel/idle-doorbell.js'
import { Pump } from '../src/channel/pump.js'
import { createSegment, type SegmentDescriptors } from '../src/channel/segment.js'
import { Life, Shared, SharedState } from '../src/channel/shared.js'
import type { SharedMemory } from '../src/codec/webassembly.js'
import { type EncodedError, encodeError, SessionTerminatedError } from '../src/errors.js'
import type { SessionFacts } from '../src/session/facts.js'
import type { WorkerSession } from '../src/session/worker-session.js'

export interface StartTask {
  readonly kind: 'start'
  readonly memory: SharedMemory
  readonly arenaSize: number
  /** Shared by the program's sessions, and this one's number among them. */
  readonly turns: SharedArrayBuffer
  readonly number: number
}
export interface JobTask {
  readonly kind: 'job'
  readonly facts: SessionFacts
  readonly url: string
  readonly input: unknown
}
export type Task = StartTask | JobTask

let shared: SharedState | undefined
let segment: SegmentDescriptors | undefined
let pump: Pump | undefined
let worker: WorkerSession | undefined

function start(task: StartTask): SegmentDescriptors {
  shared = new SharedState(task.memory)
  segment = createSegment(task.arenaSize)
  pump = new Pump(shared, segment, task.turns, task.number)
  void carry(shared, pump, segment)
  return segment
}

/** Callbacks of jobs that ended may still be called: the worker looks after them between its own work. */
const service = () => worker?.service()

/** Carries until the session is dead. */
async function carry(state: SharedState, channel: Pump, descriptors: SegmentDescriptors): Promise<void> {
  const { i32 } = state
  let bell: Socket | undefined
  while (state.life() !== Life.dead) {
    const seen = Atomics.load(i32, Shared.workerWake)
    channel.run(service)
    if (Atomics.load(i32, Shared.mayCallBack) !== 0) bell ??= watchIdleDoorbell(descriptors, () => state.wakeWorker())
    const wait = Atomics.waitAsync(i32, Shared.workerWake, seen)
    if (wait.async) await wait.value
    // other work of this thread's event loop gets its turn even when calls never cease
    else await new Promise(resolve => setImmediate(resolve))
  }
  service()
  bell?.destroy()
}

/** What a task throws crosses as data: Piscina carries only what structured clone carries. */
export type TaskResult = { readonly value: unknown } | { readonly error: EncodedError }

export default async function run(task: Task): Promise<TaskResult> {
  try {
    if (task.kind === 'start') return { value: start(task) }
    if (!shared || !segment || !pump) throw new SessionTerminatedError('this worker has no session')
    // everything that jobs need, types above all, is loaded by the first of them: most workers only carry
    const { runJob, WorkerSession: Session } = await import('../src/session/job.js')
    worker ??= new Session(shared, segment, pump)
    return { value: await runJob(worker, task.facts, task.url, task.input) }
  } catch (error) {
    return { error: encodeError(error) }
  }
}
