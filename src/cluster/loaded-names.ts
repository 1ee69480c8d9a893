/**
 * The names of the uploaded files that a session has loaded. Windows finds a dependency by its name alone if a DLL of that name is
 * loaded already, whatever its folder: a session that had loaded another file of the name would silently go on with that one.
 */
import type { DllReference } from './queue.js'

const SEVERAL = 'more than one'

export class LoadedNames {
  readonly #of = new WeakMap<object, Map<string, string>>()

  /** Records that the session loads these files; false if it has loaded other files of the same names, and must not. */
  admit(session: object, dll: DllReference | undefined): boolean {
    if (!dll || 'path' in dll) return true
    const loaded = this.#of.get(session) ?? new Map<string, string>()
    const other = ({ name, sha256 }: { name: string; sha256: string }) =>
      (loaded.get(name.toLowerCase()) ?? sha256) !== sha256
    // the DLL itself is loaded by its path
    if (dll.files.some(file => file.name !== dll.name && other(file))) return false
    for (const file of dll.files) loaded.set(file.name.toLowerCase(), other(file) ? SEVERAL : file.sha256)
    this.#of.set(session, loaded)
    return true
  }
}
