/** A session that this thread has started: its start, what it gives to other threads, its jobs, its end. */
import { BroadcastChannel, MessageChannel } from 'node:worker_threads'
import { writeBell } from '../../channel/segment.js'
import { EndReason, SharedWord } from '../../channel/shared.js'
import { CALLER_THREAD, claimNumber, giveNumberBack, goneAt } from '../../channel/threads.js'
import { THREADS } from '../../codec/layout.js'
import { ConfigError, SessionStartError, SessionTerminatedError, ZugbrueckeError } from '../../errors.js'
import type { Config, ResolvedConfig, RuntimeConfig } from '../../runtime/config.js'
import { type Installation, locate } from '../../runtime/locate.js'
import { openFilesProblem } from '../../runtime/open-files.js'
import { assertPlatform } from '../../runtime/platform.js'
import { serverProcess } from '../../runtime/wine-processes.js'
import type { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import { folderPath } from '../core/paths.js'
import { transferred } from './comlink.js'
import { greet, TurnedAwayError } from './greeting.js'
import { channelName, type HeldSession, type Hold, milliseconds } from './hold.js'
import type { JobOptions } from './job.js'
import { JobRunner } from './job-runner.js'
import type { Membership } from './joining.js'
import { StartLimit } from './start-limit.js'
import { Startup } from './startup.js'
import { supervisor } from './supervisor.js'

/** Ids of this thread's sessions that live. */
const liveIds = new Set<string>()
/**
 * Milliseconds between the death of a session and its clean-up, which closes descriptors: threads that still use them
 * see by then that the session is dead.
 */
const FAREWELL = 200
/** Milliseconds that the clean-up waits for a job that runs, so that the job fails with the error of its call. */
const JOB_FAREWELL = 3000
/** How often to try a start that Wine's services turn away because they are just ending. */
const TRIES = 3

export class OwnedSession implements Hold {
  core: SessionCore | undefined
  isEnding = false
  #startup: Startup | undefined

  /** Throws ConfigError for an id that another living session has. */
  constructor(private readonly session: HeldSession) {
    const { id } = session.config
    if (liveIds.has(id))
      throw new ConfigError(`a session with the id "${id}" lives already: give another "id", or none`)
    liveIds.add(id)
  }

  async begin(): Promise<SessionCore> {
    const { config, log } = this.session
    const late = new StartLimit(config.id, milliseconds(config.timeout_start))
    try {
      assertPlatform()
      assertFilesLeft(config.id)
      warnOfRoot(config)
      const installation = locate(config)
      log.write('info', 'starting', { ...installation, memory: config.memory })
      // starts its thread now, at the same time as the session's worker
      supervisor()
      late.prefix = config.sandbox ? undefined : installation.prefix
      for (let left = TRIES - 1; ; left--) {
        try {
          this.core = await this.#begin(installation, dllFolders(config), late)
          return this.core
        } catch (error) {
          if (!(error instanceof TurnedAwayError) || left === 0 || this.isEnding) throw error
          await this.#startup?.end(0)
        }
      }
    } catch (error) {
      log.write('error', 'not started', { error: (error as Error).message })
      // the process is killed at once: no DLL is loaded that has to clean up, and it may be unable to hear that it is
      // to leave
      await this.#abandon(0)
      throw error instanceof ZugbrueckeError
        ? error
        : new SessionStartError(`session ${config.id} could not be started: ${(error as Error).message}`, {
            cause: error,
          })
    } finally {
      late.end()
    }
  }

  /** One try of a start. */
  async #begin(installation: Installation, folders: readonly string[], late: StartLimit): Promise<SessionCore> {
    const { session } = this
    const { config } = session
    const startup: Startup = new Startup((code, strayed) => this.#workerEnded(startup, code, strayed))
    this.#startup = startup
    const { segment, pid, sandbox } = await Promise.race([startup.spawn(installation, config), late.passed])
    if (this.isEnding) throw new SessionTerminatedError(`session ${config.id} was terminated before it was up`)
    Atomics.store(startup.shared.i32, SharedWord.process, pid)
    const facts: SessionFacts = {
      id: config.id,
      arch: config.arch,
      memory: startup.shared.memory,
      segment,
      turns: startup.turns,
      number: startup.number,
      pid,
      server: 0,
      base: 0,
      pointerSize: config.arch === 'win64' ? 8 : 4,
      memoryByHost: false,
      pythonVersion: installation.pythonVersion,
      cwd: config.cwd,
      prefix: installation.prefix,
      sandbox,
      encoding: config.encoding,
      timeoutCall: milliseconds(config.timeout_call),
      timeoutStop: milliseconds(config.timeout_stop),
    }
    const core = session.makeCore(facts, CALLER_THREAD, startup.shared)
    await greet(core, config.env, folders, late.passed, () => this.isEnding)
    // looked up only now, since a server that was there before the start may have been about to end
    if (!config.sandbox) core.facts = { ...core.facts, server: serverProcess(installation.prefix) }
    session.log.write('info', 'up', { pid, python: core.facts.pythonVersion })
    return core
  }

  async welcome(core: SessionCore): Promise<Membership> {
    core.assertAlive()
    const thread = claimNumber(core.shared)
    if (thread < 0)
      throw new ZugbrueckeError(`session ${core.facts.id} has ${THREADS} threads already, and can have no more`)
    this.#openBell(core, thread)
    const { port1: alive, port2 } = new MessageChannel()
    await supervisor().member(core.facts.pid, thread, transferred(port2, port2))
    const { encoding, timeoutCall, timeoutStop } = core
    const facts = { ...core.facts, encoding, timeoutCall, timeoutStop }
    return transferred({ facts, thread, config: this.session.config, alive }, alive)
  }

  /** Opens the bell of a thread that joins. Where it can have none, gives the thread's number back and throws. */
  #openBell(core: SessionCore, thread: number): void {
    try {
      const bell = (this.#startup as Startup).openBell(thread)
      // in a sandbox the host has been told of all bells at the start, by other numbers
      if (!this.session.config.sandbox) writeBell(core.mapping.view, thread, bell)
      Atomics.store(core.mapping.i32, goneAt(thread), 0)
    } catch (error) {
      giveNumberBack(core.shared, thread)
      throw error
    }
  }

  async setParameter(core: SessionCore, _changes: Partial<Config>, checked: Partial<RuntimeConfig>): Promise<void> {
    const { id, stdout, stderr } = this.session.config
    // threads that joined have copies of the parameters
    const channel = new BroadcastChannel(channelName(id))
    channel.postMessage(checked)
    channel.close()
    await supervisor().show(core.facts.pid, { stdout, stderr })
  }

  async runJob(core: SessionCore, module: string, input: unknown, options: JobOptions): Promise<unknown> {
    const startup = this.#startup
    if (!startup || !core.alive) throw core.deathError(undefined)
    startup.jobs ??= new JobRunner(startup.worker, core)
    return startup.jobs.run(module, input, options)
  }

  /** The worker's thread has ended. Unless this session has ended it, a job of the user's has, and the session dies. */
  #workerEnded(startup: Startup, code: number, strayed: Error | undefined): void {
    if (this.#startup !== startup) return
    const why =
      strayed ?? new ZugbrueckeError(`a job ended the thread of session ${this.session.config.id} (exit code ${code})`)
    const { core } = this
    if (core) core.kill(EndReason.workerDied, why)
    else startup.shared.end(EndReason.workerDied)
  }

  async terminate(ready: Promise<SessionCore>): Promise<void> {
    this.isEnding = true
    const startup = this.#startup
    if (startup) {
      startup.shared.end(EndReason.terminated)
      this.core?.lane.heard()
    }
    await ready.catch(() => {})
    await this.#abandon()
  }

  died(): void {
    liveIds.delete(this.session.config.id)
    if (this.isEnding || !this.#startup) return
    this.isEnding = true
    const { jobs } = this.#startup
    const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds).unref())
    void Promise.all([wait(FAREWELL), jobs && Promise.race([jobs.done, wait(JOB_FAREWELL)])])
      .then(() => this.#abandon())
      .catch(() => {})
  }

  /** Ends whatever has been made of the session. The Windows process gets `patience` milliseconds to leave. */
  async #abandon(patience = milliseconds(this.session.config.timeout_stop)): Promise<void> {
    liveIds.delete(this.session.config.id)
    const startup = this.#startup
    this.#startup = undefined
    await startup?.end(patience)
    // later, so that callers that wait for `ready` are told first why the session is not up
    setImmediate(() => this.session.closePorts())
  }
}

/** The folders to search, as Windows paths. Throws ConfigError for one that does not exist. */
function dllFolders({ dll_directories, cwd }: ResolvedConfig): string[] {
  try {
    return dll_directories.map(folder => folderPath(folder, cwd))
  } catch (cause) {
    throw new ConfigError(`the parameter "dll_directories": ${(cause as Error).message}`, { cause })
  }
}

/**
 * Checked ahead, for a start that runs out of descriptors may fail anywhere, also in Wine, and with any message.
 * Throws SessionStartError.
 */
function assertFilesLeft(id: string): void {
  const problem = openFilesProblem()
  if (problem) throw new SessionStartError(`session ${id} cannot be started: ${problem.found}: ${problem.mend}`)
}

let isWarned = false

/** Warns once per thread that sessions run as root, unless the program has chosen `sandbox: false`. */
function warnOfRoot({ sandbox, sources }: ResolvedConfig): void {
  if (isWarned || sandbox || sources.sandbox !== 'default' || process.getuid?.() !== 0) return
  isWarned = true
  process.emitWarning(
    'DLLs run as root here, and may do all that root may: start sessions with { sandbox: true }, as another user, or say { sandbox: false } where that is meant',
    { type: 'SecurityWarning', code: 'ZUGBRUECKE_ROOT' },
  )
}
