/** Suites of a cluster: skipped with a word where a part of this machine is missing that they are about. */
import { suite, type Test } from 'uvu'
import { withoutRedis } from './redis.js'

/** Runs the suite that `define` fills; `missing` says what is not there, and why. */
export function clusterSuite<T>(
  name: string,
  define: (test: Test<T>) => void,
  missing: string | undefined = withoutRedis,
): void {
  const test = suite<T>(name)
  if (missing === undefined) define(test)
  else {
    console.log(`skipped: ${missing}`)
    test.skip('everything')
  }
  test.run()
}
