/** Folders in which Windows looks for DLLs, in addition to those where it always looks. */
import { numberOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { ArgumentError } from '../../errors.js'
import { type Both, blockingOnly, both } from '../core/both.js'
import { folderPath } from '../core/paths.js'
import type { SessionSurface } from './surface.js'

/** A folder that `add_dll_directory` added. Windows looks there until it is closed. */
export class DllDirectory {
  #closed = false
  constructor(
    /** Its Windows path. */
    readonly path: string,
    /** Ends that, after the loads that were asked for before. Rejects with ArgumentError the second time. */
    readonly close: Both<[], void>,
  ) {}
  /** @internal Marks the folder as closed. Throws ArgumentError if it was closed before. */
  surrender(): void {
    if (this.#closed) throw new ArgumentError(`${this.path} is not searched any more`)
    this.#closed = true
  }
  /** Closes it at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close()
  }
}

/**
 * Makes `add_dll_directory` of a session. `blocking`: `close` of what it gives blocks also without `.sync`, as inside
 * jobs.
 */
export function directoryAdder(session: SessionSurface, blocking: boolean): Both<[path: string], DllDirectory> {
  return both(session, (ask, path) => {
    const folder = folderPath(path, session.cwd)
    return ask(`add_dll_directory(${path})`, Op.addDllDirectory, [], [folder], outcome => {
      const cookie = numberOf(outcome)
      const close = both<[], void>(session, askAgain => {
        directory.surrender()
        return askAgain(`closing ${path}`, Op.removeDllDirectory, [cookie], [], () => undefined)
      })
      const directory = new DllDirectory(folder, (blocking ? blockingOnly(close) : close) as Both<[], void>)
      return directory
    })
  })
}
