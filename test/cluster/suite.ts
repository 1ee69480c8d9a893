/** Suites of a cluster: skipped with a word where a part of this machine is missing that they are about. */
import { suite, type Test } from 'uvu'
import { suiteAtOnce } from '../at-once.js'
import { withoutRedis } from './redis.js'

interface Options {
  readonly name: string
  /** So many of its tests run at a time. */
  readonly atOnce?: number
}

/** Runs the suite that `define` fills; `missing` says what is not there, and why. */
export function clusterSuite<T>(
  what: string | Options,
  define: (test: Test<T>) => void,
  missing: string | undefined = withoutRedis,
): void {
  const { name, atOnce }: Options = typeof what === 'string' ? { name: what } : what
  const test = atOnce === undefined ? suite<T>(name) : suiteAtOnce<T>(name, atOnce)
  if (missing === undefined) define(test)
  else {
    console.log(`skipped: ${missing}`)
    test.skip('everything')
  }
  test.run()
}
