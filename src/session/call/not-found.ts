import { RoutineNotFoundError } from '../../errors.js'
import { readPe } from '../../runtime/pe.js'
import type { DllState } from '../core/dll-state.js'
import { nearNames } from '../core/near-names.js'

/**
 * The error for a routine that a DLL does not export. It names exports with similar names, where the DLL's `file` is
 * known and can be read from here.
 */
export function notFound(dll: DllState, target: string | number, file: string | undefined): RoutineNotFoundError {
  const near = typeof target === 'string' && file ? exportsNear(target, file) : []
  const described = near.map(name => {
    const stack = name.replace(/^_/, '').startsWith(`${target}@`) && /@(\d+)$/.exec(name)?.[1]
    return stack ? `${name} (stdcall, ${stack} bytes of arguments)` : name
  })
  const hint = near.length > 0 ? `; near names: ${described.join(', ')}` : ''
  return new RoutineNotFoundError(
    `${dll.name} exports no ${typeof target === 'number' ? `ordinal ${target}` : `routine "${target}"`}${hint}`,
    { near },
  )
}

function exportsNear(name: string, file: string): string[] {
  try {
    return nearNames(
      name,
      readPe(file).exports.flatMap(e => (e.name ? [e.name] : [])),
    )
  } catch {
    // the file cannot be read from here: the error gets no hint
    return []
  }
}
