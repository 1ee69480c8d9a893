/**
 * The state behind one library object: its DLL, which is loaded when it is first needed and stays until it is
 * unloaded.
 */

import { EndReason } from '../../channel/shared.js'
import type { TimeLimit } from '../../channel/time-limit.js'
import { BOOLEAN, type Checks, checkOptions, wholeNumber } from '../../ctypes/checks.js'
import { ArgumentError, CallTimeoutError, DllNotFoundError } from '../../errors.js'
import type { SessionCore } from './core.js'
import type { LoadedDll } from './loaded-dlls.js'
import { checkDllName } from './paths.js'

/** How a DLL is loaded, and what its calls keep. */
export interface LibraryOptions {
  /** Keep Windows' last error for `get_last_error()`, `detail` and `errcheck`. */
  readonly use_last_error?: boolean
  /** Keep C's errno likewise. */
  readonly use_errno?: boolean
  /** Flags of LoadLibraryEx. */
  readonly mode?: number
}

const OPTIONS: Checks = { use_last_error: BOOLEAN, use_errno: BOOLEAN, mode: wholeNumber(0, 0xffff_ffff) }

/** How a library's routines are called: `oledll` is `windll` whose results are HRESULTs. */
export type LibraryKind = 'cdll' | 'windll' | 'oledll'

export class DllState {
  #dll: LoadedDll | undefined
  #error: Error | undefined

  constructor(
    readonly name: string,
    readonly kind: LibraryKind,
    readonly options: LibraryOptions,
    private readonly cwd: string,
  ) {
    checkDllName(name)
    checkOptions('a library', options, OPTIONS)
  }

  /** The DLL's number in the session; 0 before it is asked for and after it is unloaded. */
  get number(): number {
    return this.#dll?.number ?? 0
  }
  /** Why the library cannot be used. */
  get error(): Error | undefined {
    return this.#error ?? this.#dll?.error
  }
  /** Full Windows path, once loaded. */
  get path(): string | undefined {
    return this.#dll?.path
  }
  /** The file, if its path was given as a Unix path; otherwise undefined, as before it is asked for. */
  get unix(): string | undefined {
    return this.#dll?.unix
  }

  /**
   * Asks the Windows side to load it, in order with everything else. What is asked for later finds it loaded, or fails
   * with `error`.
   */
  request(core: SessionCore): void {
    if (this.error) return
    try {
      if (this.#dll) this.#dll.request()
      else this.#dll = core.dlls.open(this.name, this.options.mode ?? -1, this.cwd)
    } catch (error) {
      this.#error = error as Error
    }
  }

  /** Waits until it is loaded; rejects with DllNotFoundError, WrongArchitectureError or the session's end. */
  async loaded(core: SessionCore): Promise<void> {
    this.request(core)
    const limit = this.#limit(core)
    await this.#dll?.answered
    limit?.end()
    if (this.error) throw this.error
  }

  /** The same, blocking this thread; throws. */
  loadedSync(core: SessionCore): void {
    if (this.path === undefined) core.lane.blocking.assertMayBlock(`loading ${this.name}`)
    this.request(core)
    const limit = this.#limit(core)
    core.lane.waitFor(() => this.path !== undefined || this.error !== undefined)
    limit?.end()
    if (this.error) throw this.error
  }

  /** A limit for loading: the code that a DLL runs then may never end. */
  #limit(core: SessionCore): TimeLimit | undefined {
    const { timeoutCall } = core
    return core.limit(timeoutCall, () => {
      this.#error = new CallTimeoutError(
        `${this.name} was not loaded within ${timeoutCall} ms; its session has been ended`,
        { timeout: timeoutCall },
      )
      core.kill(EndReason.timeout, this.#error)
      return undefined
    })
  }

  /**
   * From now on everything of this library fails with DllNotFoundError. Rejects with ArgumentError where it is not
   * loaded.
   */
  async unload(core: SessionCore): Promise<void> {
    const dll = this.#dll
    if (!dll || dll.error) throw new ArgumentError(`${this.name} is not loaded`)
    this.#dll = undefined
    this.#error = new DllNotFoundError(`${this.name} has been unloaded`, { dll: this.name })
    await core.dlls.close(dll)
  }
}
