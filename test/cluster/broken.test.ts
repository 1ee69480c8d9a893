/** Workers on machines that are broken: what they cannot begin goes back, they take nothing and say why, and take again when they can. */
// 64-bit only: the DLL that tells its process makes system calls of 64-bit Linux
// waits: for workers to try again
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { NoWorkerError } from 'zugbruecke'
import { ClusterPool } from 'zugbruecke/cluster'
import { resolveConfig } from '../../src/runtime/config.js'
import { locate } from '../../src/runtime/locate.js'
import { dll, rejects, until } from '../session/support.js'
import { OwnWorker } from './redis.js'
import { redisSuite } from './suite.js'

const rest = 'int rest(int)'

/** The Linux process behind a session of whichever worker takes the call. */
async function sessionOf(pool: ClusterPool): Promise<number> {
  const getpid = 39
  const call = pool.func<unknown[], bigint>(
    { path: dll('linux') },
    'int64_t linux_call(int64_t, void *, void *, void *, void *, void *)',
  )
  return Number(await call(getpid, null, null, null, null, null))
}

interface Told {
  readonly status: number
  readonly completed: number
  readonly failed: number
  readonly trouble?: string
}

async function health({ said }: OwnWorker): Promise<Told> {
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? ['']
  const response = await fetch(url)
  return { status: response.status, ...((await response.json()) as Omit<Told, 'status'>) }
}

redisSuite({ name: 'a cluster: broken machines', atOnce: 2 }, test => {
  test('sessions that cannot start any more', async ({ redis, folder }) => {
    const { url: connection } = redis
    const { wine } = locate(resolveConfig({ arch: 'win64' }))
    const flag = join(folder, 'broken')
    const loader = join(folder, 'wine64')
    writeFileSync(
      loader,
      `#!/bin/sh\nif [ -e '${flag}' ]; then echo 'no space left on device' >&2; exit 1; fi\nexec '${wine}' "$@"\n`,
    )
    chmodSync(loader, 0o755)
    const options = ['--size', '1', '--health', '0']
    const broken = await OwnWorker.start(connection, 'broken', options, { ZUGBRUECKE_WINE: loader })
    const pool = await ClusterPool.connect({ connection, queue: 'broken', retries: 1 })
    const hasty = await ClusterPool.connect({ connection, queue: 'broken', waitTimeout: 2 })
    let whole: OwnWorker | undefined
    try {
      const call = pool.func<[number], number>({ path: dll('rows') }, rest)
      const session = await sessionOf(pool)
      // some of it has been taken when the session dies
      const work = pool.map({ path: dll('rows') }, rest, [new Int32Array(400).fill(5)], { chunk: 20 })
      await until(async () => (await health(broken)).completed > 3, 'the work is under way')
      writeFileSync(flag, '')
      process.kill(session, 'SIGKILL')
      await until(async () => (await health(broken)).status === 503, 'it says that it takes nothing')
      await until(async () => ((await health(broken)).trouble ?? '').includes('no space left'), 'and why')
      await until(() => broken.said.includes('takes nothing'), 'in its log, too')
      assert.match(broken.said, 'no space left')
      await until(() => hasty.stats().size === 0, 'clients know')
      assert.is(hasty.stats().workers, 1)
      const none = hasty.func<[number], number>({ path: dll('rows') }, rest)(1)
      await rejects(none, NoWorkerError, 'takes nothing', 'no space left')
      const { completed, failed } = await health(broken)
      // the session that was killed had a chunk
      assert.is(failed, 1)
      whole = await OwnWorker.start(connection, 'broken', options)
      assert.equal(await work, new Int32Array(400).fill(5))
      assert.equal([(await health(broken)).completed, (await health(broken)).failed], [completed, failed])
      rmSync(flag)
      await until(async () => (await health(broken)).status === 200, 'it takes work again', 30)
      await whole.kill('SIGTERM')
      assert.is(await call(3), 3)
      assert.is((await health(broken)).completed, completed + 1)
    } finally {
      await Promise.all([pool, hasty].map(one => one.close()))
      await Promise.all([broken, whole].map(one => one?.kill()))
    }
  })

  test('a folder for uploaded DLLs that cannot be written to', async ({ redis, folder }) => {
    const { url: connection } = redis
    const { prefix, python } = locate(resolveConfig({ arch: 'win64' }))
    const cache = join(folder, 'cache')
    const uploads = join(cache, 'zugbruecke', 'uploads')
    const options = ['--size', '1', '--health', '0', '--allow-upload', '--no-sandbox']
    const own = { XDG_CACHE_HOME: cache, ZUGBRUECKE_PREFIX: prefix, ZUGBRUECKE_PYTHON: python }
    mkdirSync(cache)
    const broken = await OwnWorker.start(connection, 'uploads', options, own)
    const pool = await ClusterPool.connect({ connection, queue: 'uploads' })
    let whole: OwnWorker | undefined
    try {
      rmSync(uploads, { recursive: true })
      writeFileSync(uploads, 'a file where the folder was')
      const answer = pool.func<[number], number>(dll('rows'), rest)(3)
      await until(async () => (await health(broken)).status === 503, 'it says that it takes nothing')
      assert.match((await health(broken)).trouble as string, /EEXIST|ENOTDIR/)
      whole = await OwnWorker.start(connection, 'uploads', options)
      assert.is(await answer, 3)
      await whole.kill('SIGTERM')
      assert.is((await health(broken)).failed, 0)
      const again = pool.func<[number], number>(dll('rows'), rest)(4)
      rmSync(uploads)
      assert.is(await again, 4)
      assert.is((await health(broken)).completed, 1)
    } finally {
      await pool.close()
      await Promise.all([broken, whole].map(one => one?.kill()))
    }
  })
})
