/** Carries out one directive of memsync: finds the length of the memory, and copies it. Errors name the directive. */
import type { LocalBlock, Target } from '../../ctypes/block.js'
import { type Arch, CATEGORY, type CType, FOR_ARCH } from '../../ctypes/data.js'
import { castTo } from '../../ctypes/memory.js'
import { type Directive, type MemsyncPath, showPath } from '../../ctypes/memsync.js'
import { POINTER } from '../../ctypes/pointer.js'
import { c_char, c_wchar } from '../../ctypes/scalars.js'
import { ArgumentError, placed } from '../../errors.js'
import { type Copies, remoteAddressOf } from './copies.js'
import { asLength, type End, follow, found, lengthAt, type Origin } from './path.js'

/**
 * Whether a pointer is an object of its own. A `void *` in a structure is not made to lead to a copy: its value is a
 * number, and has to stay one.
 */
export const isWhole = (block: LocalBlock, size: number) => block.size === size

/** Copies what a pointer of the DLL leads to. */
export function copyOf(
  label: string,
  directive: Directive,
  { place, pointee }: Pick<End, 'place' | 'pointee'>,
  origin: Origin,
  copies: Copies,
): Target {
  const address = remoteAddressOf(place as Target)
  if (directive.terminated) return copies.ofText(address, isWide(directive, pointee))
  const length = lengthOf(label, directive, origin, true) ?? 0
  return copies.of(address, length * directive.type[FOR_ARCH](origin.arch).size)
}

/** Whether the text that a directive is about is UTF-16. */
export const isWide = ({ wide }: Directive, pointee: CType | undefined) => wide ?? pointee?.[CATEGORY] === 'wchar'

/**
 * A pointer in the place of an address that was a mere number: to elements of the directive's type, or to characters.
 */
export function pointerTo({ terminated, wide, type }: Directive, target: Target, arch: Arch): unknown {
  return castTo(target, POINTER(terminated ? (wide ? c_wchar : c_char) : type)[FOR_ARCH](arch))
}

/** How many elements there are. Undefined before the call if that is not known yet. Throws ArgumentError. */
export function lengthOf(label: string, directive: Directive, origin: Origin, isAfter: boolean): number | undefined {
  const { lengths, func } = directive
  if (!isAfter && lengths.some(([first]) => first === 'r')) return undefined
  const at = (path: MemsyncPath) => inDirective(label, directive, 'length', path, () => follow(path, origin))
  if (!func) {
    const [path] = lengths
    return inDirective(label, directive, 'length', path, () => {
      const length = lengthAt(follow(path, origin))
      if (length === undefined && isAfter) throw new ArgumentError('there is NULL on its way')
      return length
    })
  }
  const spots = lengths.map(at)
  if (!isAfter && spots.some(spot => !spot)) return undefined
  const length = func(...spots.map((spot, i) => inDirective(label, directive, 'length', lengths[i], () => found(spot))))
  return inDirective(label, directive, 'func', undefined, () => asLength(length))
}

/** Runs `run`; an error of it then names the directive, the key and the path. */
export function inDirective<T>(
  label: string,
  { number }: Directive,
  key: string,
  path: MemsyncPath | undefined,
  run: () => T,
): T {
  try {
    return run()
  } catch (error) {
    const where = `memsync directive ${number}, ${key}${path ? ` ${showPath(path)}` : ''}`
    throw placed(error, where, { routine: label })
  }
}
