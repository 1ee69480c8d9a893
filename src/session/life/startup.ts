/**
 * What one try of a session's start makes: the shared memory, the worker, the segment, the sandbox, the Windows
 * process. They are made one after the other, and `end` ends what has been made by then. Knows nothing of calls.
 */
import { lockNow } from '../../channel/abandoned.js'
import { endMapping, forgetView } from '../../channel/mapping.js'
import { closeSegment, createSegment, openBell, type Segment, writeHead } from '../../channel/segment.js'
import { EndReason, SharedState, SharedWord } from '../../channel/shared.js'
import { CALLER_THREAD, FIRST_THREADS, WORKER_THREAD } from '../../channel/threads.js'
import { countSession, createTurns } from '../../channel/turns.js'
import { untilNoneWithin } from '../../channel/uninterrupted.js'
import { ZugbrueckeError } from '../../errors.js'
import type { ResolvedConfig } from '../../runtime/config.js'
import type { Installation } from '../../runtime/locate.js'
import { ensureServices } from '../../runtime/prefix.js'
import { Sandbox } from '../../runtime/sandbox.js'
import type { SandboxView } from '../../runtime/sandbox-files.js'
import { hostProcess } from './host-process.js'
import type { JobRunner } from './job-runner.js'
import { makeWorker, untilLoaded } from './session-worker.js'
import { supervisor } from './supervisor.js'

/** The memory by which this thread's sessions take turns, and how many sessions have been started. */
const turns = createTurns()
let numbers = 0
/** Each marks one session as ended, which wakes its threads: one that blocks would hold up the end of the program. */
const releases = new Set<() => void>()
const releaseAll = () => {
  for (const release of releases) release()
}

/**
 * Threads that have a bell from the start. A sandbox has more of them, since no descriptor can be handed to it later:
 * other threads cannot join its session.
 */
const START_THREADS = [WORKER_THREAD, CALLER_THREAD]
const SANDBOX_THREADS = [...START_THREADS, 2, 3, 4, 5]

export class Startup {
  readonly shared = new SharedState()
  readonly worker = makeWorker()
  readonly #loaded = untilLoaded(this.worker)
  /** The memory for turns, and this session's number there. */
  readonly turns = turns
  readonly number = ++numbers
  /** Made with the first job. */
  jobs?: JobRunner
  #segment: Segment | undefined
  #pid = 0
  #spawning: Promise<number> | undefined
  /** Set once it is to end. */
  #over = false
  #sandbox: Promise<Sandbox> | undefined
  readonly #release = () => this.shared.end(EndReason.terminated)
  /** An error that was thrown in the worker outside of jobs. */
  #strayed: Error | undefined

  /** `onWorkerEnd` is told if the worker's thread ends. */
  constructor(onWorkerEnd: (code: number, strayed: Error | undefined) => void) {
    Atomics.store(this.shared.i32, SharedWord.threads, FIRST_THREADS)
    this.worker.on('error', error => {
      this.#strayed = error
    })
    this.worker.threads[0]?.once('exit', code => onWorkerEnd(code, this.#strayed))
    countSession(turns, 1)
  }

  /**
   * Makes the segment and starts the Windows process. Gives the process id, and what the process sees of files if it
   * is in a sandbox.
   */
  async spawn(
    installation: Installation,
    config: ResolvedConfig,
  ): Promise<{ segment: Segment; pid: number; sandbox: SandboxView | undefined }> {
    if (config.sandbox) this.#sandbox = Sandbox.make(installation, config, lockNow)
    const ready = this.#sandbox ?? ensureServices(installation)
    // it is awaited below, and where it fails before that it is no unhandled rejection
    ready.catch(() => {})
    const segment = createSegment(config.memory, this.shared, this.#sandbox ? SANDBOX_THREADS : START_THREADS)
    this.#segment = segment
    if (releases.size === 0) process.on('exit', releaseAll)
    releases.add(this.#release)
    const sandbox = (await ready) as Sandbox | undefined
    if (this.#over) throw new ZugbrueckeError('the start of the session was given up')
    const { options, seen } = hostProcess(config, installation, segment, this.shared, sandbox)
    writeHead(segment, this.shared, seen)
    this.#spawning = supervisor().spawn(options)
    this.#pid = await this.#spawning
    return { segment, pid: this.#pid, sandbox: sandbox?.view }
  }

  /**
   * Opens the bell of a thread that joins, and gives its descriptor. Throws ZugbrueckeError where the sandbox has none
   * for the thread, SessionStartError where the system has no descriptor left.
   */
  openBell(thread: number): number {
    const segment = this.#segment as Segment
    if (this.#sandbox && !SANDBOX_THREADS.includes(thread))
      throw new ZugbrueckeError(
        `a session in a sandbox may be joined by ${SANDBOX_THREADS.length - START_THREADS.length} threads at a time`,
      )
    return openBell(segment, this.shared, thread)
  }

  /** Ends whatever has been made. The Windows process gets `patience` milliseconds to leave. To be called once. */
  async end(patience: number): Promise<void> {
    this.#over = true
    countSession(turns, -1)
    releases.delete(this.#release)
    if (releases.size === 0) process.off('exit', releaseAll)
    this.shared.end(EndReason.terminated)
    // a process that is just being started has to be ended, too
    this.#pid ||= (await this.#spawning?.catch(() => 0)) ?? 0
    if (this.#pid) await supervisor().stop(this.#pid, patience)
    await this.#loaded
    await untilNoneWithin()
    await this.worker.destroy()
    if (this.#segment) {
      closeSegment(this.#segment, this.shared)
      forgetView(this.#segment, this.shared, WORKER_THREAD)
      endMapping(this.#segment, this.shared)
    }
    await this.#sandbox?.then(
      sandbox => sandbox.remove(),
      // `spawn` has told why it could not be made
      () => {},
    )
  }
}
