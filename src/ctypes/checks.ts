/** Checks of what public functions are given, with one wording for all: programs in plain JS have no compiler that tells. */
import { ArgumentError } from '../errors.js'
import { describe } from './data.js'
import { hasMember, isRecord, reading } from './given.js'

/** What a value has to be, in words, and whether it is. */
export type Check = readonly [wanted: string, is: (value: unknown) => boolean]
/** The options that a function takes, by name. */
export type Checks = { readonly [option: string]: Check }

export const BOOLEAN: Check = ['true or false', value => typeof value === 'boolean']
export const FUNCTION: Check = ['a function', value => typeof value === 'function']
/** Also one of another realm, or of a package that stands in for Node's. */
export const SIGNAL: Check = [
  'an AbortSignal',
  value =>
    hasMember(value, 'aborted') &&
    typeof value.aborted === 'boolean' &&
    hasMember(value, 'addEventListener') &&
    typeof value.addEventListener === 'function',
]
export const MILLISECONDS: Check = ['a number of milliseconds', value => typeof value === 'number' && value >= 0]
/** In bytes: what an ArrayBuffer of any Node can have, and more than any text of C. */
export const LARGEST = 0x7fff_ffff
/** A number of bytes, or of units of a text. */
export const SIZE = wholeNumber(0, LARGEST)

/** From one number up to another, both included. */
export function wholeNumber(from: number, to: number): Check {
  return [
    `a whole number from ${from} to ${to}`,
    value => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  ]
}

/** Throws ArgumentError. `what` begins the sentence. */
export function check(what: string, value: unknown, [wanted, is]: Check): void {
  if (!reading(what, () => is(value))) throw new ArgumentError(`${what} is ${wanted}, not ${describe(value)}`)
}

/** Checks an object of options: each has to be known, and as it has to be or undefined. Throws ArgumentError. */
export function checkOptions(owner: string, given: unknown, known: Checks): void {
  if (given === undefined) return
  if (!isRecord(given)) throw new ArgumentError(`options of ${owner} are an object, not ${describe(given)}`)
  for (const [name, value] of reading(`options of ${owner}`, () => Object.entries(given))) {
    if (!Object.hasOwn(known, name))
      throw new ArgumentError(`${owner} has no option "${name}"; it takes ${Object.keys(known).join(', ')}`)
    if (value !== undefined) check(`the option "${name}" of ${owner}`, value, known[name])
  }
}

/** Throws ArgumentError for what is no string, or has a zero inside, with which text ends in C. */
export function checkText(what: string, value: unknown): void {
  if (typeof value !== 'string') throw new ArgumentError(`${what} takes a string, not ${describe(value)}`)
  if (value.includes('\0'))
    throw new ArgumentError(`${what} takes a string without a NUL inside, not ${describe(value)}`)
}

/** What `make` gives; an ArgumentError where there is no memory for it. */
export function allocated<T>(what: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ArgumentError(`${what} cannot be had: that is more memory than there is (${cause.message})`, { cause })
  }
}
