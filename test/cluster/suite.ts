/** Suites of a cluster: skipped with a word where a part of this machine is missing that they are about. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import { suiteAtOnce } from '../at-once.js'
import { OwnRedis, withoutRedis } from './redis.js'

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

/** What each of these tests is given. */
export interface WithRedis {
  redis: OwnRedis
  /** For files of the tests. */
  folder: string
}

/** The same, for tests that share a Redis and a folder of their own. */
export function redisSuite<T extends WithRedis = WithRedis>(
  what: string | Options,
  define: (test: Test<T>) => void,
): void {
  clusterSuite<T>(what, test => {
    test.before(async context => {
      context.folder = mkdtempSync(join(tmpdir(), 'zugbruecke-cluster-'))
      context.redis = await OwnRedis.start()
    })
    define(test)
    // what the suite itself ends comes before it
    test.after(async ({ redis, folder }) => {
      await redis?.end()
      rmSync(folder, { recursive: true, force: true })
    })
  })
}
