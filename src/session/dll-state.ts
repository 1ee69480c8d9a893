/** One DLL in one thread's view of a session: loaded when it is first needed. */

import { EndReason, Shared } from '../channel/shared.js'
import type { TimeLimit } from '../channel/time-limit.js'
import { Op } from '../codec/layout.js'
import { ArgumentError, CallTimeoutError, DllNotFoundError, WrongArchitectureError } from '../errors.js'
import { readPe } from '../runtime/pe.js'
import type { SessionCore } from './core.js'
import { type DllPath, dllPath } from './paths.js'

export interface LibraryOptions {
  /** Keep Windows' last error for `get_last_error()`, `detail` and `errcheck`. */
  readonly use_last_error?: boolean
  /** Keep C's errno likewise. */
  readonly use_errno?: boolean
  /** Flags of LoadLibraryEx, for who needs them. */
  readonly mode?: number
}

/** How a library's routines are called: `oledll` is `windll` whose results are HRESULTs. */
export type LibraryKind = 'cdll' | 'windll' | 'oledll'

/** What the Windows side has been asked for, until it has answered. */
export class Asked {
  /** The callback that asked for it; undefined: none, it waits its turn like any call. */
  readonly #inside: unknown
  answered = false

  constructor(private readonly core: SessionCore) {
    this.#inside = core.lane.frames.current
  }

  /** A call made now, inside a callback, goes ahead of it, and would not find it. */
  get isBehind(): boolean {
    return !this.answered && this.core.lane.frames.current !== this.#inside
  }
}

/** A routine as the Windows side knows it. */
export interface Declaration {
  readonly number: number
  readonly asked: Asked
  error: Error | undefined
}

export class DllState {
  /** Routines declared so far, by what they are: `func` may be called for the same one any number of times. */
  readonly declarations = new Map<string, Declaration>()
  /** Its number in the session; 0 before it was asked for. */
  number = 0
  /** Why it cannot be used. */
  error: Error | undefined
  /** Full Windows path, once loaded. */
  path: string | undefined
  unix: string | undefined
  #loading: Promise<void> | undefined
  #asked: Asked | undefined

  constructor(
    readonly name: string,
    readonly kind: LibraryKind,
    readonly options: LibraryOptions,
    private readonly cwd: string,
  ) {}

  /** Asks the Windows side to load it, in order with everything else; what is asked for later finds it loaded, or fails with `error`. */
  request(core: SessionCore): void {
    if (this.error || (this.number !== 0 && !this.#asked?.isBehind)) return
    let path: DllPath
    try {
      path = dllPath(this.name, this.cwd)
      if (path.unix && (this.name.includes('/') || path.unix.toLowerCase().endsWith('.dll')))
        checkArchitecture(this.name, path.unix, core.facts.arch)
    } catch (error) {
      this.error = error as Error
      return
    }
    this.unix = path.unix
    this.number = core.shared.next(Shared.dllNumber)
    const asked = new Asked(core)
    this.#asked = asked
    this.#loading = new Promise(resolve => {
      const exchange = core.controlExchange(
        `loading ${this.name}`,
        Op.load,
        [this.number, this.options.mode ?? -1],
        [path.windows],
        outcome => {
          asked.answered = true
          this.path = outcome.texts[0]
          resolve()
        },
        error => {
          asked.answered = true
          resolve()
          if (this.error) return
          const ours = error instanceof DllNotFoundError || error instanceof WrongArchitectureError
          this.error = ours ? Object.assign(error, { dll: this.name }) : error
        },
      )
      core.lane.submit(exchange)
    })
  }

  /** Waits until it is loaded; rejects with DllNotFoundError, WrongArchitectureError or the session's end. */
  async loaded(core: SessionCore): Promise<void> {
    this.request(core)
    const limit = this.#limit(core)
    await this.#loading
    limit?.end()
    if (this.error) throw this.error
  }

  /** The same, blocking this thread. */
  loadedSync(core: SessionCore): void {
    if (this.path === undefined) core.lane.assertMayBlock(`loading ${this.name}`)
    this.request(core)
    const limit = this.#limit(core)
    core.lane.waitFor(() => this.path !== undefined || this.error !== undefined)
    limit?.end()
    if (this.error) throw this.error
  }

  /** What a DLL does while it is loaded may never end. */
  #limit(core: SessionCore): TimeLimit | undefined {
    const { timeoutCall } = core
    return core.limit(timeoutCall, () => {
      this.error = new CallTimeoutError(
        `${this.name} was not loaded within ${timeoutCall} ms; its session has been ended`,
        { timeout: timeoutCall },
      )
      core.kill(EndReason.timeout, this.error)
      return undefined
    })
  }

  async unload(core: SessionCore): Promise<void> {
    if (this.number === 0) throw new ArgumentError(`${this.name} is not loaded`)
    await core.control(`unloading ${this.name}`, Op.unload, [this.number])
    this.number = 0
    this.error = new DllNotFoundError(`${this.name} has been unloaded`, { dll: this.name })
  }
}

function checkArchitecture(name: string, file: string, arch: 'win32' | 'win64'): void {
  const pe = readPe(file)
  if (pe.arch === arch) return
  const words: { readonly [arch: string]: string } = { win32: '32-bit', win64: '64-bit', arm64: 'for ARM64' }
  const hint = pe.arch === 'win32' || pe.arch === 'win64' ? `: start a session with { arch: '${pe.arch}' }` : ''
  throw new WrongArchitectureError(
    `${name} is ${words[pe.arch] ?? `for another machine (${pe.machine})`}, this session is ${arch}${hint}`,
    { dll: name },
  )
}
