/** A session: one Windows Python process on Wine, driven by one worker thread. */
import { EventEmitter } from 'node:events'
import { BroadcastChannel, MessageChannel, MessagePort } from 'node:worker_threads'
import { writeBell } from '../../channel/segment.js'
import { EndReason, Shared, SharedState } from '../../channel/shared.js'
import { CALLER_THREAD, giveNumberBack, goneAt, takeNumber } from '../../channel/threads.js'
import { THREADS } from '../../codec/layout.js'
import { check, FUNCTION } from '../../ctypes/checks.js'
import { describe } from '../../ctypes/data.js'
import { ArgumentError, ConfigError, SessionStartError, SessionTerminatedError, ZugbrueckeError } from '../../errors.js'
import {
  type Arch,
  type Config,
  checkParameterChange,
  checkParameterName,
  type ResolvedConfig,
  type RuntimeConfig,
  resolveConfig,
} from '../../runtime/config.js'
import { type Installation, locate } from '../../runtime/locate.js'
import { assertPlatform } from '../../runtime/platform.js'
import { serverProcess } from '../../runtime/wine-processes.js'
import { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import { archForDll, checkDllName, folderPath, toUnixPath } from '../core/paths.js'
import { encodingFor } from '../core/text-encoding.js'
import { lend } from '../memsync/loan.js'
import { SessionSurface } from '../surface/surface.js'
import { transferred } from './comlink.js'
import { greet, TurnedAwayError } from './greeting.js'
import { holdNode } from './hold-node.js'
import type { JobOptions } from './job.js'
import { checkJob, JobRunner } from './job-runner.js'
import { closeWith, HostPorts, HostThread } from './joining.js'
import { checkLogFile, SessionLog } from './log.js'
import { StartLimit } from './start-limit.js'
import { Started } from './started.js'
import { supervisor } from './supervisor.js'

/** Sessions of this program that live, by id. */
const live = new Set<string>()
/** A worker's descriptors close with it: whoever still looks at them gets this long, in milliseconds, to see that the session is dead. */
const FAREWELL = 200
/** A job that runs gets this long to tell what its call failed with. */
const JOB_FAREWELL = 3000
/** How often a start is tried that Wine's services turn away, which go by themselves between two sessions. */
const TRIES = 3

/** What a session says of itself without being asked. */
export interface SessionEvents {
  /** A callback threw outside any call, or a disposed one was called. */
  callbackError: [error: Error]
  /** The session has ended, for whatever reason. */
  end: []
}

/** Parameters of a session whose architecture is that of a DLL, unless it is given. */
export type OpenParameters = Partial<Omit<Config, 'arch'>> & { readonly arch?: Arch | 'auto' }

/** The parameters of a session that can load a DLL. Throws ArgumentError, ConfigError, DllNotFoundError, WrongArchitectureError. */
export function parametersFor(dllPath: string, parameters: OpenParameters): Partial<Config> {
  checkDllName(dllPath)
  // what is no object is refused in the same words as by the constructor
  if (Object.prototype.toString.call(parameters) !== '[object Object]') resolveConfig(parameters as never)
  const { arch = 'auto', ...others } = parameters
  return arch === 'auto' ? { ...others, arch: archForDll(dllPath, resolveConfig(others)) } : { ...others, arch }
}

/**
 * One Windows process on Wine, in which DLLs are loaded and called. Everything asked of it, from whichever thread,
 * happens in the order it was asked for. It ends with the program, by `terminate()`, or by a call that kills it; then
 * every handle from it fails with `SessionTerminatedError`.
 */
export class CtypesSession extends SessionSurface {
  readonly #events = new EventEmitter<SessionEvents>()
  readonly #ready: Promise<SessionCore>
  #config: ResolvedConfig
  readonly #log: SessionLog
  #core: SessionCore | undefined
  /** Where this thread started it. */
  #owned: Started | undefined
  /** Where another thread started it. */
  #host: HostThread | undefined
  readonly #ports = new HostPorts()
  #ended = false
  #stopping: Promise<void> | undefined

  /** Starts a session; calls made before it is up wait until it is. Throws ConfigError. */
  constructor(parameters: Partial<Config> = {}, joining?: MessagePort) {
    if (joining !== undefined) checkPort(joining)
    const config = resolveConfig(parameters)
    encodingFor(config.encoding)
    checkLogFile(config)
    super(config.arch)
    this.#config = config
    this.#log = new SessionLog(config)
    if (!joining) {
      if (live.has(config.id))
        throw new ConfigError(`a session with the id "${config.id}" lives already: give another "id", or none`)
      live.add(config.id)
    }
    this.#ready = (joining ? this.#join(joining) : this.#boot()).finally(holdNode())
    // whoever waits is told; whoever does not must not end the program
    this.#ready.catch(() => {})
  }

  /** Starts a session and waits until it is up. */
  static async start(parameters: Partial<Config> = {}): Promise<CtypesSession> {
    const session = new CtypesSession(parameters)
    await session.ready
    return session
  }

  /**
   * Starts a session of the architecture that a DLL needs, which its header tells, and waits until it is up. The DLL is found as `CDLL`
   * finds it; it is not loaded. Throws (rejects with) WrongArchitectureError for one that no session can load, and DllNotFoundError.
   */
  static async open(dllPath: string, parameters: OpenParameters = {}): Promise<CtypesSession> {
    return CtypesSession.start(parametersFor(dllPath, parameters))
  }

  /** Joins, from another thread, the session that `port()` of its first thread belongs to. */
  static async attach(port: MessagePort): Promise<CtypesSession> {
    checkPort(port)
    const session = new CtypesSession({}, port)
    await session.ready
    return session
  }

  /** A port for another thread of this program: give it to `CtypesSession.attach` there (it is transferable). */
  port(): MessagePort {
    this.#core?.assertAlive()
    return this.#ports.open({
      join: async () => {
        const core = await this.#ready
        core.assertAlive()
        const thread = takeNumber(core.shared)
        if (thread < 0)
          throw new ZugbrueckeError(`session ${this.id} has ${THREADS} threads already, and can have no more`)
        this.#openBell(core, thread)
        const { port1: alive, port2 } = new MessageChannel()
        await supervisor().member(core.facts.pid, thread, transferred(port2, port2))
        const { encoding, timeoutCall, timeoutStop } = core
        const facts = { ...core.facts, encoding, timeoutCall, timeoutStop }
        return transferred({ facts, thread, config: this.#config, alive }, alive)
      },
      terminate: () => this.terminate(),
      setParameter: changes => this.setParameter(changes),
    })
  }

  /** Throws, with the number given back, where the thread can have no bell. */
  #openBell(core: SessionCore, thread: number): void {
    try {
      const bell = (this.#owned as Started).openBell(thread)
      // in a sandbox the host knows it from the start, by another number
      if (!this.#config.sandbox) writeBell(core.mapping.view, thread, bell)
      Atomics.store(core.mapping.i32, goneAt(thread), 0)
    } catch (error) {
      giveNumberBack(core.shared, thread)
      throw error
    }
  }

  get id(): string {
    return this.#config.id
  }
  /** True from the moment the Windows side has answered until termination or death, and then false for good. */
  get up(): boolean {
    return this.#core?.alive === true
  }
  /** Settles when the session is up, or could not be started. */
  get ready(): Promise<this> {
    return this.#ready.then(() => this)
  }
  /** Of the Windows side, as Linux numbers processes; undefined before it is up. */
  get pid(): number | undefined {
    return this.#core?.facts.pid
  }

  /** Throws ConfigError for a name that is none. */
  getParameter<K extends keyof Config>(name: K): Config[K] {
    checkParameterName('getParameter', name)
    return this.#config[name]
  }

  /** Changes what may change at run time. Throws (rejects with) ConfigError. */
  async setParameter(changes: Partial<Config>): Promise<void> {
    const checked = checkParameterChange(changes)
    if (checked.encoding !== undefined) encodingFor(checked.encoding)
    checkLogFile({ ...this.#config, ...checked })
    const core = await this.#ready
    core.assertAlive()
    this.#configure(core, checked)
    const release = holdNode()
    try {
      if (this.#host) await this.#host.setParameter(changes)
      else {
        this.#tellThreads(checked)
        await supervisor().show(core.facts.pid, { stdout: this.#config.stdout, stderr: this.#config.stderr })
      }
    } finally {
      release()
    }
  }

  #configure(core: SessionCore, changes: Partial<RuntimeConfig>): void {
    this.#config = { ...this.#config, ...changes }
    this.#log.configure(this.#config)
    core.encoding = this.#config.encoding
    core.timeoutCall = milliseconds(this.#config.timeout_call)
    core.timeoutStop = milliseconds(this.#config.timeout_stop)
  }

  /** Those that joined have what they need of the parameters for themselves. */
  #tellThreads(changes: Partial<RuntimeConfig>): void {
    const channel = new BroadcastChannel(channelName(this.id))
    channel.postMessage(changes)
    channel.close()
  }

  /** Throws ArgumentError for another event, and for what is no function. */
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.on(event, listener as never)
    return this
  }
  /** Takes a listener away that `on` or `once` added. */
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    checkListener(event, listener)
    this.#events.off(event, listener as never)
    return this
  }

  /** Ends the session: what is under way fails, the Windows process leaves. Settles when it is gone; twice is once. */
  terminate(): Promise<void> {
    this.#stopping ??= this.#terminate().finally(holdNode())
    return this.#stopping
  }

  /** Ends the session: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate()
  }

  /** `id`, by its name in the Python project. */
  get _zb_id(): string {
    return this.id
  }
  /** `up`, by its name in the Python project. */
  get _zb_up(): boolean {
    return this.up
  }
  /** `setParameter`, by its name in the Python project. */
  _zb_set_parameter(changes: Partial<Config>): Promise<void> {
    return this.setParameter(changes)
  }
  /** `terminate`, by its name in the Python project. */
  _zb_terminate(): Promise<void> {
    return this.terminate()
  }
  /** `pathUnixToWine`, by its name in the Python project. */
  _zb_path_unix_to_wine(path: string): Promise<string> {
    return this.pathUnixToWine(path)
  }
  /** `pathWineToUnix`, by its name in the Python project. */
  _zb_path_wine_to_unix(path: string): Promise<string> {
    return this.pathWineToUnix(path)
  }

  /** Runs a job module in the session's own thread; see `SessionPool.run`. Aborting it ends the session. */
  async runJob<T = unknown>(module: URL | string, input: unknown, options: JobOptions = {}): Promise<T> {
    checkJob(module, options)
    const core = await this.#ready
    const owned = this.#owned
    if (this.#host)
      throw new ArgumentError('jobs are run by the thread that started the session, not by one that joined it')
    if (!owned || !core.alive) throw core.deathError(undefined)
    owned.jobs ??= new JobRunner(owned.worker, core)
    return (await owned.jobs.run(String(module), input, options)) as T
  }

  override get cwd(): string {
    return this.#config.cwd
  }
  override toUnix(path: string | undefined): string | undefined {
    return path && this.#core ? toUnixPath(path, this.#core.facts.prefix, this.arch) : undefined
  }

  override whenReady(): Promise<SessionCore> {
    return this.#ready
  }
  override coreNow(): SessionCore | undefined {
    return this.#core
  }

  async #boot(): Promise<SessionCore> {
    const late = new StartLimit(this.id, milliseconds(this.#config.timeout_start))
    try {
      assertPlatform()
      const config = this.#config
      warnOfRoot(config)
      const installation = locate(config)
      this.#log.write('info', 'starting', { ...installation, memory: config.memory })
      // its thread starts while the session's own does
      supervisor()
      late.prefix = config.sandbox ? undefined : installation.prefix
      for (let left = TRIES - 1; ; left--) {
        try {
          this.#core = await this.#begin(installation, dllFolders(config), late)
          return this.#core
        } catch (error) {
          if (!(error instanceof TurnedAwayError) || left === 0 || this.#ended) throw error
          await this.#owned?.end(0)
        }
      }
    } catch (error) {
      this.#log.write('error', 'not started', { error: (error as Error).message })
      // it has no DLL that would clean up, and perhaps hears nothing
      await this.#abandon(0)
      throw error instanceof ZugbrueckeError
        ? error
        : new SessionStartError(`session ${this.id} could not be started: ${(error as Error).message}`, {
            cause: error,
          })
    } finally {
      late.end()
    }
  }

  /** One try of a start. */
  async #begin(installation: Installation, folders: readonly string[], late: StartLimit): Promise<SessionCore> {
    const config = this.#config
    const owned: Started = new Started((code, strayed) => this.#workerEnded(owned, code, strayed))
    this.#owned = owned
    const { segment, pid, sandbox } = await Promise.race([owned.spawn(installation, config), late.passed])
    if (this.#ended) throw new SessionTerminatedError(`session ${config.id} was terminated before it was up`)
    Atomics.store(owned.shared.i32, Shared.process, pid)
    const facts: SessionFacts = {
      id: config.id,
      arch: config.arch,
      memory: owned.shared.memory,
      segment,
      turns: owned.turns,
      number: owned.number,
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
    const core = this.#makeCore(facts, CALLER_THREAD, owned.shared)
    await greet(core, config.env, folders, late.passed, () => this.#stopping !== undefined)
    // the one that was there before may have been about to go
    if (!config.sandbox) core.facts = { ...core.facts, server: serverProcess(installation.prefix) }
    this.#log.write('info', 'up', { pid, python: core.facts.pythonVersion })
    return core
  }

  async #join(port: MessagePort): Promise<SessionCore> {
    this.#host = new HostThread(port, milliseconds(this.#config.timeout_start))
    const { facts, thread, config, alive } = await this.#host.join()
    this.#config = config
    const core = this.#makeCore(facts, thread)
    this.#core = core
    const channel = new BroadcastChannel(channelName(facts.id))
    channel.onmessage = event => this.#configure(core, (event as { data: Partial<RuntimeConfig> }).data)
    channel.unref()
    // the port stays open as long as this thread: its end tells of that
    const over = () => {
      alive.off('message', over).off('close', over)
      channel.close()
      // the session ends with the thread that started it, which cannot say so any more
      core.shared.end(EndReason.ownerEnded)
      core.lane.heard()
      closeWith(core.mapping.buffer, alive)
    }
    alive.on('message', over).on('close', over)
    alive.unref()
    return core
  }

  /** Nobody ends the worker's thread but this session, or a job of the user's. */
  #workerEnded(owned: Started, code: number, strayed: Error | undefined): void {
    if (this.#owned !== owned) return
    const why = strayed ?? new ZugbrueckeError(`a job ended the thread of session ${this.id} (exit code ${code})`)
    const core = this.#core
    if (core) core.kill(EndReason.workerDied, why)
    else owned.shared.end(EndReason.workerDied)
  }

  #makeCore(facts: SessionFacts, thread: number, shared = new SharedState(facts.memory)): SessionCore {
    const core = new SessionCore({
      facts,
      thread,
      shared,
      lend,
      onCallbackError: error => this.#stray(error),
      onDeath: () => {
        // who starts one that was never up is told otherwise
        if (this.#core === core) this.#died()
      },
    })
    this.adopt(core)
    return core
  }

  #stray(error: Error): void {
    this.#log.write('warn', 'callback', { error: error.message })
    if (!this.#emit('callbackError', error)) process.emitWarning(error)
  }

  /** What a listener throws is the program's uncaught error, and must not stop what is under way here. */
  #emit<E extends keyof SessionEvents>(event: E, ...args: SessionEvents[E]): boolean {
    try {
      return this.#events.emit(event, ...(args as never))
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
      return true
    }
  }

  async #terminate(): Promise<void> {
    this.#ended = true
    if (this.#host) return await this.#host.terminate()
    const owned = this.#owned
    if (owned) {
      owned.shared.end(EndReason.terminated)
      this.#core?.lane.heard()
    }
    await this.#ready.catch(() => {})
    await this.#abandon()
  }

  /** Ends what has been started, whatever that is. */
  async #abandon(patience = milliseconds(this.#config.timeout_stop)): Promise<void> {
    live.delete(this.id)
    const owned = this.#owned
    this.#owned = undefined
    await owned?.end(patience)
    // those who wait for it to be up are told first why it is not
    setImmediate(() =>
      this.#ready.then(
        core => this.#ports.close(core.deathError(undefined)),
        why => this.#ports.close(why),
      ),
    )
  }

  #died(): void {
    this.#log.write(this.#ended ? 'info' : 'error', 'ended')
    live.delete(this.id)
    if (!this.#ended && this.#owned) {
      this.#ended = true
      const { jobs } = this.#owned
      const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds).unref())
      void Promise.all([wait(FAREWELL), jobs && Promise.race([jobs.done, wait(JOB_FAREWELL)])])
        .then(() => this.#abandon())
        .catch(() => {})
    }
    this.#emit('end')
  }
}

/** As Windows writes them. Throws ConfigError for one that is not there. */
function dllFolders({ dll_directories, cwd }: ResolvedConfig): string[] {
  try {
    return dll_directories.map(folder => folderPath(folder, cwd))
  } catch (cause) {
    throw new ConfigError(`the parameter "dll_directories": ${(cause as Error).message}`, { cause })
  }
}

let isWarned = false

/** Once, unless somebody has said that there is to be no sandbox. */
function warnOfRoot({ sandbox, sources }: ResolvedConfig): void {
  if (isWarned || sandbox || sources.sandbox !== 'default' || process.getuid?.() !== 0) return
  isWarned = true
  process.emitWarning(
    'DLLs run as root here, and may do all that root may: start sessions with { sandbox: true }, as another user, or say { sandbox: false } where that is meant',
    { type: 'SecurityWarning', code: 'ZUGBRUECKE_ROOT' },
  )
}

function checkPort(port: unknown): void {
  if (!(port instanceof MessagePort))
    throw new ArgumentError(`a session is joined by what its port() gave, not by ${describe(port)}`)
}

const EVENTS: { readonly [event in keyof SessionEvents]: true } = { callbackError: true, end: true }

function checkListener(event: unknown, listener: unknown): void {
  if (typeof event !== 'string' || !Object.hasOwn(EVENTS, event))
    throw new ArgumentError(`a session has the events ${Object.keys(EVENTS).join(' and ')}, not ${describe(event)}`)
  check(`what hears of ${event}`, listener, FUNCTION)
}

/** Where threads that joined hear of changed parameters. */
const channelName = (id: string) => `zugbruecke ${process.pid} ${id}`

const milliseconds = (seconds: number | null): number => (seconds === null ? Number.POSITIVE_INFINITY : seconds * 1000)
