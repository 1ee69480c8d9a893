/** DLLs that one thread has had loaded: one for each name and mode, whatever the number of library objects for it. */

import { SharedWord } from '../../channel/shared.js'
import { textOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { DllNotFoundError, WrongArchitectureError } from '../../errors.js'
import type { Arch } from '../../runtime/config.js'
import { readPe, sessionArch } from '../../runtime/pe.js'
import { lendDll } from '../../runtime/sandbox-files.js'
import type { SessionCore } from './core.js'
import { dllPath, windowsFile } from './paths.js'
import { PendingRequest } from './pending-request.js'

export class LoadedDlls {
  readonly #known = new Map<string, LoadedDll>()

  constructor(private readonly core: SessionCore) {}

  /**
   * The DLL of this name and mode, counted once more; a new one is requested. Throws ArgumentError, DllNotFoundError,
   * WrongArchitectureError.
   */
  open(name: string, mode: number, cwd: string): LoadedDll {
    const key = `${mode} ${name}`
    let dll = this.#known.get(key)
    if (dll && !dll.error) dll.request()
    else {
      dll = new LoadedDll(this.core, key, name, mode, cwd)
      this.#known.set(key, dll)
    }
    dll.libraries++
    return dll
  }

  /**
   * Counts one library object less. With the last one this thread unloads the DLL, and so does Windows if nothing else
   * has it loaded.
   */
  async close(dll: LoadedDll): Promise<void> {
    if (--dll.libraries > 0) return
    if (this.#known.get(dll.key) === dll) this.#known.delete(dll.key)
    await dll.unload()
  }
}

export class LoadedDll {
  /** Library objects that have it loaded. */
  libraries = 0
  /** Why it could not be loaded. */
  error: Error | undefined
  /** Full Windows path, once loaded. */
  path: string | undefined
  readonly unix: string | undefined
  /** Settles when the Windows side has answered, whatever it says. */
  answered: Promise<void> = Promise.resolve()
  readonly #windows: string
  /** More than one if it was requested again inside a callback, ahead of an earlier request. */
  readonly #numbers: number[] = []
  #latest: PendingRequest | undefined

  constructor(
    private readonly core: SessionCore,
    readonly key: string,
    private readonly name: string,
    private readonly mode: number,
    cwd: string,
  ) {
    const path = dllPath(name, cwd)
    const { arch, sandbox } = core.facts
    if (path.unix) checkArchitecture(name, path.unix, arch)
    this.unix = path.unix
    this.#windows = path.unix && sandbox ? windowsFile(lendDll(path.unix, sandbox)) : path.windows
    this.request()
  }

  /** Its number in the session. */
  get number(): number {
    return this.#numbers.at(-1) ?? 0
  }

  /** Requests the load, unless calls made now are sure to find the DLL loaded. */
  request(): void {
    if (this.#latest && !this.#latest.isBehind) return
    const { core, name } = this
    const number = core.shared.next(SharedWord.dllNumber)
    this.#numbers.push(number)
    const request = new PendingRequest(core)
    this.#latest = request
    this.answered = new Promise(resolve => {
      const loaded = (path: string) => {
        request.answer()
        this.path = path
        resolve()
      }
      const failed = (error: Error) => {
        request.answer()
        const ours = error instanceof DllNotFoundError || error instanceof WrongArchitectureError
        this.error ??= ours ? Object.assign(error, { dll: name }) : error
        resolve()
      }
      const numbers = [number, this.mode]
      core.control.submit(
        `loading ${name}`,
        Op.load,
        numbers,
        [this.#windows],
        outcome => loaded(textOf(outcome)),
        failed,
      )
    })
  }

  async unload(): Promise<void> {
    const { core } = this
    core.declarations.forgetAddresses()
    await Promise.all(this.#numbers.map(number => core.control.request(`unloading ${this.name}`, Op.unload, [number])))
  }
}

function checkArchitecture(name: string, file: string, arch: Arch): void {
  const needed = sessionArch(name, readPe(file))
  if (needed === arch) return
  throw new WrongArchitectureError(
    `${name} is ${needed === 'win32' ? '32-bit' : '64-bit'}, this session is ${arch}: start a session with { arch: '${needed}' }`,
    { dll: name },
  )
}
