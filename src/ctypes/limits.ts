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

/** Pointers in one object, all of which are listed: less than a Set of Node's may have, and a tenth of what a list ends the process with. */
const MOST_POINTERS = 1 << 23

const tooDeep = (what: string) =>
  new ArgumentError(`${what} is nested too deeply: types hold types ${DEEPEST} levels deep at the most`)

/** The depth of an array, a pointer or a function pointer that is made of these. Throws ArgumentError. */
export function nestingOf(word: string, types: readonly (CType | null)[]): number {
  const depth = 1 + types.reduce((most, type) => Math.max(most, type?.[NESTING] ?? 0), 0)
  if (depth > DEEPEST) throw tooDeep(word)
  return depth
}

/** A name that is made of other types' names. Throws ArgumentError if it is too long. */
export function checkedName(word: string, name: string): string {
  if (name.length > LONGEST_NAME) throw tooDeep(word)
  return name
}

/** What an array has for elements through all its dimensions, and how many these are. */
export function elementOf(type: CType): { readonly element: CType; readonly arrays: number } {
  let [element, arrays] = [type, 0]
  for (; element[CATEGORY] === 'array'; arrays++) element = element.elementType
  return { element, arrays }
}

/** How many levels of structures and arrays are being laid out, one inside the other. */
let level = 0

/** Lays out a structure whose members are arrays of so many dimensions at the most. Throws ArgumentError where it is nested too deeply. */
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
