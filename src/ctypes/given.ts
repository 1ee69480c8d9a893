/**
 * Looks at what the program gives, which may be anything: a proxy that is revoked, or whose traps throw, or an object with a getter that does.
 * The questions here answer no for such; `reading` makes one error of this library of what was thrown.
 */
import { ArgumentError, encodeError, ZugbrueckeError } from '../errors.js'

/** `instanceof`, which throws for a proxy that cannot be asked. */
export function isA<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

/** `Array.isArray`, which throws for a revoked proxy. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** An object with names and values, also of another realm or without a prototype. */
export function isRecord(value: unknown): value is object {
  try {
    return Object.prototype.toString.call(value) === '[object Object]'
  } catch {
    return false
  }
}

/** `key in value`, which may throw for a proxy; false for what is no object. */
export function hasMember<K extends PropertyKey>(value: unknown, key: K): value is { readonly [key in K]: unknown } {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  try {
    return key in value
  } catch {
    return false
  }
}

/** What `work` reads of something that the program gave. What throws in it becomes an ArgumentError, but for errors of this library. */
export function reading<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(what, error)
  }
}

/** The error for what failed while it was read; an error of this library's stays as it is. */
export function unreadable(what: string, error: unknown): Error {
  if (isA(error, ZugbrueckeError)) return error
  return new ArgumentError(`${what} cannot be read: ${encodeError(error).message}`, { cause: error })
}

/** The error for memory that the program has taken away while a routine worked on it. */
export const lost = (): ArgumentError =>
  new ArgumentError(
    'memory that was given has been transferred, or made shorter, before the routine was done with it: what that wrote there is lost',
  )

/** Can an object be asked for its members at all? A revoked proxy cannot. */
export function isReadable(value: object): boolean {
  try {
    Object.getPrototypeOf(value)
    return true
  } catch {
    return false
  }
}
