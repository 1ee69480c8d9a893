/**
 * What the thread that started a session owns of it: the shared memory, the worker, the segment, the Windows process, the sandbox.
 * Made step by step, so that whatever has been made by then can be ended at any step. Knows nothing of calls.
 */
import { countSession, createTurns } from '../channel/crowd.js'
import { FIRST_THREADS } from '../channel/membership.js'
import { closeSegment, type SegmentDescriptors } from '../channel/segment.js'
import { EndReason, Shared, SharedState } from '../channel/shared.js'
import { createSharedMemory } from '../codec/encoder.js'
import type { ResolvedConfig } from '../runtime/config.js'
import type { Installation } from '../runtime/locate.js'
import { ensureServices } from '../runtime/prefix.js'
import { Sandbox } from '../runtime/sandbox.js'
import { hostProcess } from './host-process.js'
import { type JobRunner, taskValue } from './job-runner.js'
import { makeWorker } from './session-worker.js'
import { supervisor } from './supervisor.js'

/** What the sessions of this thread share to take turns, and the last one's number. */
const turns = createTurns()
let numbers = 0
/** Frees the workers of this thread's sessions from what they wait for: a thread that blocks would hold up the end of the program. */
const releases = new Set<() => void>()
const releaseAll = () => {
  for (const release of releases) release()
}

export class Started {
  readonly memory = createSharedMemory()
  readonly shared = new SharedState(this.memory)
  readonly worker = makeWorker()
  /** What this session shares with the program's others, and its number among them. */
  readonly turns = turns
  readonly number = ++numbers
  jobs?: JobRunner
  #segment: SegmentDescriptors | undefined
  #pid = 0
  #sandbox: Promise<Sandbox> | undefined
  #release: (() => void) | undefined
  /** What was thrown in the worker outside any task. */
  #strayed: Error | undefined

  constructor() {
    Atomics.store(this.shared.i32, Shared.threads, FIRST_THREADS)
    this.worker.on('error', error => {
      this.#strayed = error
    })
    countSession(turns, 1)
  }

  /** The worker makes the segment while Wine's services, or the sandbox, are made ready. `onWorkerEnd` is told if its thread ends. */
  async prepare(
    installation: Installation,
    config: ResolvedConfig,
    onWorkerEnd: (code: number, strayed: Error | undefined) => void,
  ): Promise<SegmentDescriptors> {
    const { worker, memory, number } = this
    if (config.sandbox) this.#sandbox = Sandbox.make(installation, config)
    const [segment] = await Promise.all([
      worker
        .run({ kind: 'start', memory, arenaSize: config.memory, turns, number })
        .then(taskValue<SegmentDescriptors>),
      this.#sandbox ?? ensureServices(installation),
    ])
    this.#segment = segment
    worker.threads[0]?.once('exit', code => onWorkerEnd(code, this.#strayed))
    return segment
  }

  /** Starts the Windows process; its number. */
  async spawn(installation: Installation, config: ResolvedConfig, segment: SegmentDescriptors): Promise<number> {
    const options = hostProcess(config, installation, segment, this.memory, await this.#sandbox)
    this.#pid = await supervisor().spawn(options)
    return this.#pid
  }

  /** When the program ends the worker must not sit in a read: `ringWorker` ends that. */
  releaseAtExit(ringWorker: () => void): void {
    this.#release = () => {
      this.shared.end(EndReason.terminated, 0, new Uint8Array())
      ringWorker()
    }
    if (releases.size === 0) process.on('exit', releaseAll)
    releases.add(this.#release)
  }

  /** Ends what has been made, whatever that is. The process gets `patience` milliseconds. Once only. */
  async end(patience: number): Promise<void> {
    countSession(turns, -1)
    if (this.#release) releases.delete(this.#release)
    if (releases.size === 0) process.off('exit', releaseAll)
    this.shared.end(EndReason.terminated, 0, new Uint8Array())
    if (this.#pid) await supervisor().stop(this.#pid, patience)
    await this.worker.destroy()
    if (this.#segment) closeSegment(this.#segment)
    await this.#sandbox?.then(
      sandbox => sandbox.remove(),
      // why it could not be made has been told
      () => {},
    )
  }
}
