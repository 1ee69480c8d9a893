/** Declarations and types as short text. */
import { type HeaderOptions, type Prototype, parseHeader, parsePrototype } from '../../../src/ctypes/header/index.js'
import type { Arch } from '../../../src/ctypes/header/namespace.js'
import { type Stub, stubNamespace, textOf } from './stub.js'

export const showRoutine = ({ name, restype, argtypes, convention, conventionStated, variadic }: Prototype) =>
  `${textOf(restype)} ${conventionStated ? `${convention} ` : ''}${name}(${[...argtypes.map(textOf), ...(variadic ? ['...'] : [])].join(', ')})`

export const prototype = (text: string, arch: Arch = 'win64') =>
  showRoutine(parsePrototype(text, arch, stubNamespace(arch)))

export const header = (text: string, options: Partial<HeaderOptions> = {}) => {
  const arch = options.arch ?? 'win64'
  return parseHeader(text, { ns: stubNamespace(arch), ...options, arch })
}

/** The routines of a text, in order. */
export const routines = (text: string) => [...header(text).routines.values()].map(showRoutine)

/** `{ x: c_int, y: POINTER(node) }` of a structure or union. */
export const showFields = (type: unknown) =>
  Object.entries((type as Stub).fields ?? {})
    .map(([name, field]) => `${name}: ${textOf(field)}`)
    .join(', ')
