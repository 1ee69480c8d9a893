/** A line that breaks at the worst moment: what Redis was told is done once, and has an end. */
// 64-bit only: nothing here depends on what a session is
import { statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import * as assert from 'uvu/assert'
import { ClusterPool } from 'zugbruecke/cluster'
import { KEPT } from '../../dist/src/cluster/queue.js'
import { until } from '../session/support.js'
import { listen, OwnWorker, staying } from './redis.js'
import { redisSuite } from './suite.js'

/** A line to a Redis of this machine. */
class Line {
  readonly #sockets = new Set<Socket>()
  #isMute = false
  #last: string | undefined
  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** All takes so many milliseconds each way. */
  static async to(port: number, delay = 0): Promise<Line> {
    const server = createServer()
    const line = new Line(server, await listen(server))
    server.on('connection', near => {
      const far = connect(port, '127.0.0.1')
      near.on('close', () => far.end())
      far.on('close', () => near.destroy())
      for (const socket of [near, far]) {
        line.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => line.#sockets.delete(socket))
      }
      near.on('data', bytes => {
        const isLast = line.#last !== undefined && bytes.includes(line.#last)
        setTimeout(() => (isLast ? line.#end(far, bytes) : far.write(bytes)), delay)
      })
      far.on('data', bytes => {
        if (!line.#isMute) setTimeout(() => near.write(bytes), delay)
      })
    })
    return line
  }
  #end(far: Socket, bytes: Buffer): void {
    // Redis reads all of it, which it would not do if the connection were destroyed
    far.end(bytes)
    this.server.close()
    for (const socket of this.#sockets) if (socket !== far) socket.destroy()
  }
  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }
  /** Answers are lost from now on. */
  mute(): void {
    this.#isMute = true
  }
  /** What has this text in it is the last that comes through. */
  endWith(text: string): void {
    this.#last = text
  }
  /** It breaks, and is whole for who connects again. */
  break(): void {
    this.#isMute = false
    for (const socket of this.#sockets) socket.destroy()
  }
  end(): void {
    this.server.close()
    this.break()
  }
}

redisSuite('a cluster: lines that break', test => {
  test('a job that was added, done and forgotten before its client heard that it was added', async ({
    redis,
    folder,
  }) => {
    const said = join(folder, 'said')
    const module = join(folder, 'says.mjs')
    writeFileSync(
      module,
      "import { appendFileSync } from 'node:fs'\nexport default (_, file) => file && appendFileSync(file, '.')\n",
    )
    writeFileSync(said, '')
    const says = pathToFileURL(module)
    const times = () => statSync(said).size
    const line = await Line.to(redis.port)
    const worker = await OwnWorker.start(redis.url, 'resent', ['--size', '1', '--jobs', folder])
    const pool = await ClusterPool.connect({ connection: line.url, queue: 'resent' })
    const others = await ClusterPool.connect({ connection: redis.url, queue: 'resent' })
    const raw = new Redis(redis.url)
    try {
      await pool.run(says, said)
      line.mute()
      const answer = pool.run(says, said)
      answer.catch(() => {})
      await until(() => times() === 2, 'it is done')
      await until(async () => (await raw.zcard('bull:resent:completed')) === 2, 'Redis knows')
      const [, id] = await raw.zrange('bull:resent:completed', '0', '-1')
      await Promise.all(Array.from({ length: KEPT.count }, () => others.run(says)))
      await until(async () => (await raw.exists(`bull:resent:${id}`)) === 0, 'it is forgotten')
      line.break()
      await answer
      // it comes behind what is sent again
      await pool.run(says, said)
      assert.is(times(), 3)
      await until(async () => (await raw.keys('bull:resent:de:*')).length === 0, 'nobody remembers what was added')
    } finally {
      raw.disconnect()
      await Promise.all([pool, others].map(one => one.close()))
      await worker.kill()
      line.end()
    }
  })

  test('a job that was added, and nothing after it: it has a time to live all the same', async ({ redis }) => {
    const line = await Line.to(redis.port)
    const raw = new Redis(redis.url)
    const pool = await ClusterPool.connect({ connection: line.url, queue: 'alone' })
    try {
      line.endWith('last-job.mjs')
      const gone = pool.run('file:///last-job.mjs').catch(() => {})
      await until(async () => (await raw.llen('bull:alone:wait')) === 1, 'it waits')
      const [id] = await raw.lrange('bull:alone:wait', 0, -1)
      assert.ok((await raw.pttl(`bull:alone:${id}`)) > 0)
      assert.equal(await staying(raw, '*alone*'), [])
      await pool.close()
      await gone
    } finally {
      raw.disconnect()
      line.end()
    }
  })

  test('a job that is over before its client, who is far away, has begun to listen', async ({ redis, folder }) => {
    const module = join(folder, 'none.mjs')
    writeFileSync(module, 'export default () => 5\n')
    const line = await Line.to(redis.port, 30)
    const worker = await OwnWorker.start(redis.url, 'far', ['--size', '1', '--jobs', folder])
    const raw = new Redis(redis.url)
    const monitor = await raw.monitor()
    const asked: string[] = []
    const told: string[] = []
    monitor.on('monitor', (_time: string, [command, key]: string[], source: string) => {
      if (source !== 'lua' && command.toLowerCase() === 'hgetall') asked.push(key)
      if (command.toLowerCase() === 'publish') told.push(key)
    })
    const near = await ClusterPool.connect({ connection: redis.url, queue: 'far' })
    const pool = await ClusterPool.connect({ connection: line.url, queue: 'far' })
    try {
      // that the session has begun
      await near.run(pathToFileURL(module))
      assert.is(await pool.run(pathToFileURL(module)), 5)
      // a client that does not hear of an end looks for it after a while
      assert.equal(asked, [])
      assert.match(told.at(-1) as string, 'zugbruecke:far:ends:')
    } finally {
      monitor.disconnect()
      raw.disconnect()
      await Promise.all([near, pool].map(one => one.close()))
      await worker.kill()
      line.end()
    }
  })
})
