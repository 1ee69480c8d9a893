/** How Windows passes a type: in a register or slot, or as memory. */
import { ArgumentError } from '../errors.js'
import { type Arch, CATEGORY, type CType, KIND } from './data.js'

interface Passing {
  /** The character of `Signature` (sink.ts), or `{n}`. */
  readonly kind: string
  /** `value`: a scalar or an address; `bits`: the bytes of a structure as an integer; `memory`: the address of a structure. */
  readonly how: 'value' | 'bits' | 'memory'
}

const integerKinds: { readonly [size: number]: string | undefined } = { 1: 'B', 2: 'H', 4: 'I', 8: 'Q' }

/** Structures that stand for what compilers pass in vector registers: gcc's vectors, and floats of 16 and of 128 bits. */
const vectors = new WeakSet<CType>()
/** Says of a structure type that it stands for such a value. */
export const markVector = (type: CType): unknown => vectors.add(type)

/** Throws ArgumentError, which begins with `where`, for what would have to go in a vector register. */
export function refuseVector(
  type: CType,
  where: string,
  place: Pick<ArgumentError, 'routine' | 'position'> = {},
): void {
  if (vectors.has(type))
    throw new ArgumentError(
      `${where}: ${type.name} goes by value in a vector register, and no call here passes it so; a pointer to one can be passed`,
      place,
    )
}

/**
 * Microsoft's conventions ("x64 calling convention"; "__cdecl" and "__stdcall" for win32): a structure of 1, 2, 4 or 8 bytes goes as an integer,
 * any other as a pointer to a copy, and comes back through a pointer in front of the arguments. On win32 structures that are arguments lie on the
 * stack as they are.
 */
export function passedAs(type: CType, arch: Arch, asResult = false): Passing {
  if (type[CATEGORY] === 'structure') {
    const integer = integerKinds[type.size]
    if (arch === 'win32' && !asResult) return { kind: `{${type.size}}`, how: 'memory' }
    return integer ? { kind: integer, how: 'bits' } : { kind: 'p', how: 'memory' }
  }
  if (type[CATEGORY] === 'array') return { kind: 'p', how: 'value' }
  return { kind: type[KIND], how: 'value' }
}
