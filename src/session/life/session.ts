/** The session as a program has it: its start and end, its parameters, its events. */
import { MessagePort } from 'node:worker_threads'
import { SharedState } from '../../channel/shared.js'
import { describe } from '../../ctypes/data.js'
import { isA, isRecord } from '../../ctypes/given.js'
import { ArgumentError } from '../../errors.js'
import {
  type Arch,
  type Config,
  checkParameterChange,
  checkParameterName,
  type ResolvedConfig,
  type RuntimeConfig,
  resolveConfig,
} from '../../runtime/config.js'
import { SessionCore } from '../core/core.js'
import type { SessionFacts } from '../core/facts.js'
import { archForDll, checkDllName, toUnixPath } from '../core/paths.js'
import { encodingFor } from '../core/text-encoding.js'
import { lend } from '../memsync/loan.js'
import { SessionSurface } from '../surface/surface.js'
import { type HeldSession, type Hold, milliseconds } from './hold.js'
import type { JobOptions } from './job.js'
import { jobUrl } from './job-url.js'
import { JoinedSession } from './joined-session.js'
import { JoinPorts } from './joining.js'
import { keepNodeAlive } from './keep-node-alive.js'
import { Listeners } from './listeners.js'
import { checkLogFile, SessionLog } from './log.js'
import { OwnedSession } from './owned-session.js'

/** Events of a session, by `on`. */
export interface SessionEvents {
  /** A callback threw where no call fails with that (what is no error is its `cause`), or a disposed one was called. */
  callbackError: [error: Error]
  /** The session has ended, for whatever reason. */
  end: []
}

/** Parameters for `open`: without `arch`, or with `'auto'`, the architecture is that of the DLL. */
export type OpenParameters = Partial<Omit<Config, 'arch'>> & { readonly arch?: Arch | 'auto' }

/**
 * The parameters of a session that can load a DLL. Throws ArgumentError, ConfigError, DllNotFoundError,
 * WrongArchitectureError.
 */
export function parametersFor(dllPath: string, parameters: OpenParameters): Partial<Config> {
  checkDllName(dllPath)
  // for what is no object this throws the error of the constructor
  if (!isRecord(parameters)) resolveConfig(parameters as never)
  const { arch = 'auto', ...others } = parameters
  return arch === 'auto' ? { ...others, arch: archForDll(dllPath, resolveConfig(others)) } : { ...others, arch }
}

/**
 * One Windows process on Wine, in which DLLs are loaded and called. Everything asked of it, from whichever thread,
 * happens in the order it was asked for. It ends with the program, by `terminate()`, or by a call that kills it; then
 * every handle from it fails with `SessionTerminatedError`.
 */
export class CtypesSession extends SessionSurface {
  readonly #listeners = new Listeners<SessionEvents>('a session', ['callbackError', 'end'])
  readonly #ready: Promise<SessionCore>
  #config: ResolvedConfig
  readonly #log: SessionLog
  readonly #hold: Hold
  readonly #ports = new JoinPorts()
  #stopping: Promise<void> | undefined

  /**
   * Starts a session; calls that are made before it is up wait until it is. Throws ConfigError. `joining` is for
   * `attach` alone.
   */
  constructor(parameters: Partial<Config> = {}, joining?: MessagePort) {
    if (joining !== undefined) checkPort(joining)
    const config = resolveConfig(parameters)
    encodingFor(config.encoding)
    checkLogFile(config)
    super(config.arch)
    this.#config = config
    this.#log = new SessionLog(config)
    const held = this.#asHeld()
    this.#hold = joining ? new JoinedSession(held, joining) : new OwnedSession(held)
    this.#ready = this.#hold.begin().finally(keepNodeAlive())
    // who awaits `ready` is told of a failure; where nobody does it is no unhandled rejection
    this.#ready.catch(() => {})
  }

  /** Starts a session and waits until it is up. Rejects with ConfigError, SetupError, SessionStartError. */
  static async start(parameters: Partial<Config> = {}): Promise<CtypesSession> {
    const session = new CtypesSession(parameters)
    await session.ready
    return session
  }

  /**
   * Starts a session of the architecture that a DLL needs, which the header of its file tells, and waits until it is
   * up. The DLL is found as `CDLL` finds it, and not loaded. Rejects as `start` does, with DllNotFoundError, and with
   * WrongArchitectureError for a DLL that no session can load.
   */
  static async open(dllPath: string, parameters: OpenParameters = {}): Promise<CtypesSession> {
    return CtypesSession.start(parametersFor(dllPath, parameters))
  }

  /**
   * Joins a session from another thread, by what `port()` gave. Rejects with SessionTerminatedError where the session
   * has ended, with ZugbrueckeError where no more threads can join it.
   */
  static async attach(port: MessagePort): Promise<CtypesSession> {
    checkPort(port)
    const session = new CtypesSession({}, port)
    await session.ready
    return session
  }

  /** A port by which another thread of this program joins: transfer it, and give it to `CtypesSession.attach` there. */
  port(): MessagePort {
    this.#hold.core?.assertAlive()
    return this.#ports.open({
      join: async () => this.#hold.welcome(await this.#ready),
      terminate: () => this.terminate(),
      setParameter: changes => this.setParameter(changes),
    })
  }

  /** The session's name: that of the parameter `id`, or a random one. */
  get id(): string {
    return this.#config.id
  }
  /** True from the moment the Windows side has answered until termination or death, and then false for good. */
  get up(): boolean {
    return this.#hold.core?.alive === true
  }
  /** Settles when the session is up, or could not be started. */
  get ready(): Promise<this> {
    return this.#ready.then(() => this)
  }
  /** Linux's process id of the Windows process; undefined before the session is up. */
  get pid(): number | undefined {
    return this.#hold.core?.facts.pid
  }

  /** The value of a parameter now. Throws ConfigError for a name that no parameter has. */
  getParameter<K extends keyof Config>(name: K): Config[K] {
    checkParameterName('getParameter', name)
    return this.#config[name]
  }

  /**
   * Changes parameters that may change while a session runs, in all of its threads. Rejects with ConfigError, and with
   * the session's end.
   */
  async setParameter(changes: Partial<Config>): Promise<void> {
    const checked = checkParameterChange(changes)
    if (checked.encoding !== undefined) encodingFor(checked.encoding)
    checkLogFile({ ...this.#config, ...checked })
    const core = await this.#ready
    core.assertAlive()
    this.#configure(core, checked)
    const release = keepNodeAlive()
    try {
      await this.#hold.setParameter(core, changes, checked)
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

  /** Adds a listener. Throws ArgumentError for an event that there is not, and for what is no function. */
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    this.#listeners.add(event, listener)
    return this
  }
  /** Takes a listener away that `on` added. */
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    this.#listeners.remove(event, listener)
    return this
  }

  /**
   * Ends the session: what is under way fails with SessionTerminatedError, and the Windows process leaves, or is killed
   * after `timeout_stop`. Settles when it is gone. A second call gives the same promise.
   */
  terminate(): Promise<void> {
    this.#stopping ??= this.#hold.terminate(this.#ready).finally(keepNodeAlive())
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

  /** @internal Runs a job module in the session's own thread; see `SessionPool.run`. Aborting it ends the session. */
  async runJob<T = unknown>(module: URL | string, input: unknown, options: JobOptions = {}): Promise<T> {
    const url = jobUrl(module, options)
    const core = await this.#ready
    return (await this.#hold.runJob(core, url, input, options)) as T
  }

  /** @internal */
  override get cwd(): string {
    return this.#config.cwd
  }
  /** @internal */
  override toUnix(path: string | undefined): string | undefined {
    return path && this.#hold.core ? toUnixPath(path, this.#hold.core.facts.prefix, this.arch) : undefined
  }

  /** @internal */
  override whenReady(): Promise<SessionCore> {
    return this.#ready
  }
  /** @internal */
  override coreNow(): SessionCore | undefined {
    return this.#hold.core
  }

  /** What the hold uses of this object. */
  #asHeld(): HeldSession {
    const session = this
    return {
      get config() {
        return session.#config
      },
      log: this.#log,
      adopt(config) {
        session.#config = config
      },
      configure: (core, changes) => this.#configure(core, changes),
      closePorts: () =>
        void this.#ready.then(
          core => this.#ports.close(core.deathError(undefined)),
          why => this.#ports.close(why),
        ),
      makeCore: (facts, thread, shared) => this.#makeCore(facts, thread, shared),
    }
  }

  #makeCore(facts: SessionFacts, thread: number, shared = new SharedState(facts.memory)): SessionCore {
    const core = new SessionCore({
      facts,
      thread,
      shared,
      lend,
      onCallbackError: error => this.#stray(error),
      onDeath: () => {
        // of a session that was never up `ready` tells
        if (this.#hold.core === core) this.#died()
      },
    })
    this.adopt(core)
    return core
  }

  #died(): void {
    this.#log.write(this.#hold.isEnding ? 'info' : 'error', 'ended')
    this.#hold.died()
    this.#listeners.emit('end')
  }

  #stray(error: Error): void {
    this.#log.write('warn', 'callback', { error: error.message })
    if (!this.#listeners.emit('callbackError', error)) process.emitWarning(error)
  }
}

function checkPort(port: unknown): void {
  if (!isA(port, MessagePort))
    throw new ArgumentError(`a session is joined by what its port() gave, not by ${describe(port)}`)
}
