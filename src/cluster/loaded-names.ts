/**
 * Which uploaded files a session has loaded, by their names: a DLL that another needs is found by its name alone where one of that name is
 * loaded, whatever its folder, and a session that had another would go on with that and say nothing.
 */
import type { DllReference } from './queue.js'

const SEVERAL = 'more than one'

export class LoadedNames {
  readonly #of = new WeakMap<object, Map<string, string>>()

  /** Notes that the session loads these; false where it must not, having others of the same names. */
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
