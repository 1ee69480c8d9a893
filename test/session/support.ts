/** What the suites that use real sessions share. */
import { type Callback, suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Config, CtypesSession, type ZugbrueckeError } from 'zugbruecke'
import { dll } from '../dlls/build.js'

export { dll }

export const full = process.env.ZB_FULL === '1'

export interface WithSession {
  session: CtypesSession
}

/** A suite whose tests share one session. */
export function sessionSuite(name: string, config: Partial<Config> = {}): Test<WithSession> {
  const test = suite<WithSession>(name)
  const { before } = test
  // the runner counts all tests as failed if this throws, and does not say why
  test.before = Object.assign(
    (hook: Hook) =>
      before(async context => {
        try {
          await hook(context)
        } catch (error) {
          console.error(error)
          throw error
        }
      }),
    { each: before.each },
  )
  test.before(async context => {
    context.session = await CtypesSession.start(config)
  })
  test.after(async ({ session }) => {
    await session?.terminate()
  })
  return test
}

type Hook = Callback<WithSession>
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
