/**
 * How deep types hold types, and how many pointers. What reads, writes and names them follows them by recursion, so the depth is bounded
 * where a type is made: what is deeper is one clear error there, and nowhere the end of the stack.
 */
import { ArgumentError } from '../errors.js'
import { CATEGORY, type CType, NESTING } from './data.js'

/** More than a compiler for C has to take (63 of structures), and more than anybody writes. */
const DEEPEST = 256
/** In characters: the names of function types hold those of their parameters, which may double each time. */
const LONGEST_NAME = 1 << 16

/** In an object, each of which is listed: less than a Set of Node's may have, and a tenth of where a list of it ends the process. */
const MOST_POINTERS = 1 << 23

const tooDeep = (what: string) =>
  new ArgumentError(`${what} is nested too deeply: types hold types ${DEEPEST} levels deep at the most`)

/** The depth of an array, a pointer or a function pointer that is made of these. Throws ArgumentError. */
export function nestingOf(word: string, types: readonly (CType | null)[]): number {
  const depth = 1 + types.reduce((most, type) => Math.max(most, type?.[NESTING] ?? 0), 0)
  if (depth > DEEPEST) throw tooDeep(word)
  return depth
}

/** The name that is made of other types' names. Throws ArgumentError. */
export function checkedName(word: string, name: string): string {
  if (name.length > LONGEST_NAME) throw tooDeep(word)
  return name
}

/** How many arrays lie around the element that is none, and what that is. */
export function elementOf(type: CType): { readonly element: CType; readonly arrays: number } {
  let [element, arrays] = [type, 0]
  for (; element[CATEGORY] === 'array'; arrays++) element = element.elementType
  return { element, arrays }
}

/** The levels of structures and arrays that are being laid out, one in the other. */
let level = 0

/** Lays out a structure whose members have so many arrays around them. Throws ArgumentError. */
export function layingOut<T>(owner: string, arrays: number, layOut: () => T): T {
  const before = level
  level += 1 + arrays
  try {
    checkDepth(owner, level)
    return layOut()
  } finally {
    level = before
  }
}

/** Throws ArgumentError for a structure that holds others so deep. */
export function checkDepth(owner: string, depth: number): void {
  if (depth > DEEPEST) throw tooDeep(owner)
}

/** Throws ArgumentError for an object that holds more pointers than can be listed. */
export function checkPointers(owner: string, count: number): void {
  if (count > MOST_POINTERS)
    throw new ArgumentError(
      `${owner} holds ${count} pointers, and at most ${MOST_POINTERS} can be followed: give addresses as a BigUint64Array, or take memory by session.memory.alloc`,
    )
}
