/** How Windows passes a type: in a register or slot, or as memory. */
import { type Arch, CATEGORY, type CType, KIND } from './data.js'

export interface Passing {
  /** The character(s) of `sink.ts`. */
  readonly kind: string
  /** `value`: the scalar; `bits`: a structure's bytes as an integer; `memory`: by its address. */
  readonly how: 'value' | 'bits' | 'memory'
}

const integerKinds: { readonly [size: number]: string | undefined } = { 1: 'B', 2: 'H', 4: 'I', 8: 'Q' }

/** Structures of 1, 2, 4 and 8 bytes are integers, others a pointer to a copy; on win32 arguments lie on the stack as they are. */
export function passedAs(type: CType, arch: Arch, asResult = false): Passing {
  if (type[CATEGORY] === 'structure') {
    const integer = integerKinds[type.size]
    if (arch === 'win32' && !asResult) return { kind: `{${type.size}}`, how: 'memory' }
    return integer ? { kind: integer, how: 'bits' } : { kind: 'p', how: 'memory' }
  }
  if (type[CATEGORY] === 'array') return { kind: 'p', how: 'value' }
  return { kind: type[KIND], how: 'value' }
}
