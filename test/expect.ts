/** What suites expect of errors, and how they wait. */
import * as assert from 'uvu/assert'
import type { ZugbrueckeError } from '../src/errors.js'

type ErrorClass<E extends Error> = new (...args: never) => E

function check<E extends Error>(thrown: unknown, Class: ErrorClass<E>, words: readonly (string | RegExp)[]): E {
  assert.instance(thrown, Class, `expected a ${Class.name}, got ${String(thrown)}`)
  const { message } = thrown as Error
  for (const word of words) {
    const found = typeof word === 'string' ? message.includes(word) : word.test(message)
    assert.ok(found, `${JSON.stringify(message)} lacks ${String(word)}`)
  }
  return thrown as E
}

/** The error that a promise rejects with, which must be of this very class and say these words. */
export async function rejects<E extends Error = ZugbrueckeError>(
  promise: Promise<unknown>,
  Class: ErrorClass<E>,
  ...words: readonly (string | RegExp)[]
): Promise<E> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return check(error, Class, words)
  }
  throw new Error(`expected a ${Class.name}, got the value ${String(value)}`)
}

/** The same for what is thrown at once. */
export function throws<E extends Error = ZugbrueckeError>(
  act: () => unknown,
  Class: ErrorClass<E>,
  ...words: readonly (string | RegExp)[]
): E {
  let value: unknown
  try {
    value = act()
  } catch (error) {
    return check(error, Class, words)
  }
  throw new Error(`expected a ${Class.name}, got the value ${String(value)}`)
}

/** Waits until `condition`, or what it promises, holds; fails after `seconds`. */
export async function until(condition: () => unknown, what: string, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds))
