/** Faults that happen to a cluster in the middle of a map, and what came of its rows. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { ClusterPool } from 'zugbruecke/cluster'
import { dll, sleep, until } from '../session/support.js'
import { Machines } from './machines.js'
import { OwnRedis, OwnWorker, staying } from './redis.js'

/** What a client said at its end: results by checksum, or the error and how many rows it names as in doubt. */
export type Told =
  | { readonly rows: number; readonly sent: string; readonly came: string }
  | { readonly error: string; readonly message: string; readonly rows: number }

/** A store, two workers of one session each, and a client at a time; with `network` each on a machine of its own. */
export class Scene {
  redis!: OwnRedis
  readonly #workers: OwnWorker[] = []
  #client: ChildProcess | undefined
  private constructor(
    private readonly queue: string,
    private readonly machines: Machines | undefined,
  ) {}

  static async open(queue: string, network: boolean): Promise<Scene> {
    const scene = new Scene(queue, network ? Machines.build(4) : undefined)
    try {
      const open = ['--bind', '0.0.0.0', '--protected-mode', 'no']
      scene.redis = await OwnRedis.start(network ? open : [], scene.machines?.on(0))
      await scene.workers()
      return scene
    } catch (error) {
      await scene.end()
      throw error
    }
  }

  /** Machine 1 has the first worker, 2 the second, 3 the client. */
  url(machine: number): string {
    return this.machines ? `redis://${this.machines.storeFrom(machine)}:${this.redis.port}` : this.redis.url
  }

  /** Both of them; one that ended is started again. */
  async workers(): Promise<readonly OwnWorker[]> {
    const start = (machine: number) =>
      OwnWorker.start(this.url(machine), this.queue, ['--size', '1', '--lock', '5'], {}, this.machines?.on(machine))
    const made = [0, 1].map(i => (this.#workers[i]?.isRunning ? this.#workers[i] : start(i + 1)))
    this.#workers.splice(0, 2, ...(await Promise.all(made)))
    return this.#workers
  }
  get client(): ChildProcess {
    if (!this.#client) throw new Error('no client has been started')
    return this.#client
  }
  async pool(): Promise<ClusterPool> {
    return ClusterPool.connect({ connection: this.redis.url, queue: this.queue })
  }
  /** Cuts a machine off for so many seconds. */
  async cut(machine: number, seconds: number): Promise<void> {
    this.machines?.cut(machine)
    await sleep(seconds * 1000)
    this.machines?.mend(machine)
  }

  /** A client's map, with the fault in the midst of it. */
  async map(rows: number, retries: number, strike: (scene: Scene) => unknown): Promise<Told | 'killed'> {
    const program = fileURLToPath(new URL('client.mjs', import.meta.url))
    const own = [process.execPath, program, this.url(3), this.queue, dll('rows'), rows, retries].map(String)
    const [command, ...args] = [...(this.machines?.on(3) ?? []), ...own]
    const client = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#client = client
    let struck: Promise<unknown> | undefined
    let told: Told | undefined
    for await (const line of createInterface(client.stdout)) {
      if (line === 'begun') {
        struck = Promise.resolve(strike(this))
        // it is awaited when the client has ended
        struck.catch(() => {})
      } else told = JSON.parse(line) as Told
    }
    if (struck === undefined) throw new Error(`the fault came too late: ${JSON.stringify(told)}`)
    await struck
    return told ?? 'killed'
  }

  async end(): Promise<void> {
    this.#client?.kill('SIGKILL')
    await Promise.all(this.#workers.map(worker => worker.kill()))
    await this.redis?.end()
    this.machines?.end()
  }
}

export interface Fault {
  readonly id: string
  /** For people. */
  readonly what: string
  readonly retries: number
  readonly network?: true
  /** Seconds that it takes beside the work. */
  readonly lasts?: number
  strike(scene: Scene): unknown
  /** Of a client that is killed: that nothing stays for ever, and that the next is served. */
  after?(scene: Scene): Promise<void>
}

const cut = (id: string, what: string, machine: number, seconds: number, retries: number): Fault => ({
  id,
  what: `${what}, cut off for ${seconds} s`,
  retries,
  network: true,
  lasts: seconds,
  strike: scene => scene.cut(machine, seconds),
})

/** Redis dies while it writes its append-only file anew, or as soon as it has: at the moment that what it says of itself tells. */
const rewriting = (id: string, when: string, begin: (raw: Redis) => Promise<unknown>, isMoment: RegExp): Fault => ({
  id,
  what: `Redis, \`kill -9\` ${when}, started again`,
  retries: 1,
  async strike({ redis, client }) {
    const raw = new Redis(redis.url)
    try {
      await begin(raw)
      await until(async () => isMoment.test(await raw.info('persistence')), when)
    } finally {
      raw.disconnect()
    }
    await redis.kill()
    if (client.exitCode !== null) throw new Error('the map was over by then')
    await redis.start()
  },
})

export const FAULTS: readonly Fault[] = [
  {
    id: 'worker-killed',
    what: 'a worker, `kill -9`',
    retries: 1,
    strike: async scene => (await scene.workers())[0].kill(),
  },
  {
    id: 'worker-killed-once',
    what: 'the same without retries',
    retries: 0,
    strike: async scene => (await scene.workers())[0].kill(),
  },
  {
    id: 'worker-stopped',
    what: 'a worker that hangs (`SIGSTOP`)',
    retries: 1,
    strike: async scene => (await scene.workers())[0].process.kill('SIGSTOP'),
    after: async scene => void (await (await scene.workers())[0].kill()),
  },
  {
    id: 'worker-leaves',
    what: 'a worker, `SIGTERM`',
    retries: 0,
    strike: async scene => (await scene.workers())[0].kill('SIGTERM'),
  },
  {
    id: 'session-killed',
    what: 'a session, `kill -9`',
    retries: 1,
    strike: async scene => {
      const pool = await scene.pool()
      const call = pool.func<unknown[], bigint>(
        { path: dll('linux') },
        'int64_t linux_call(int64_t, void *, void *, void *, void *, void *)',
      )
      const getpid = 39
      const pid = Number(await call(getpid, null, null, null, null, null))
      // the call waited for its turn: by now the session has rows again
      process.kill(pid, 'SIGKILL')
      await pool.close()
    },
  },
  {
    id: 'redis-killed',
    what: 'Redis, `kill -9`, started again',
    retries: 1,
    strike: async ({ redis }) => {
      await redis.kill()
      await redis.start()
    },
  },
  rewriting(
    'redis-killed-rewriting',
    'while it rewrites its file',
    async raw => {
      // microseconds for each key: the rewriting of so few would be over at once
      await raw.config('SET', 'rdb-key-save-delay', 2000)
      await raw.bgrewriteaof()
    },
    /^aof_rewrite_in_progress:1/m,
  ),
  rewriting(
    'redis-killed-rewritten',
    'as soon as it has rewritten its file by itself',
    async raw => {
      await raw.config('SET', 'auto-aof-rewrite-min-size', 1)
      await raw.config('SET', 'auto-aof-rewrite-percentage', 1)
    },
    // -1 until one has been rewritten since Redis was started
    /^aof_last_rewrite_time_sec:\d/m,
  ),
  {
    id: 'client-killed',
    what: 'the client, `kill -9`; another comes',
    retries: 0,
    strike: ({ client }) => client.kill('SIGKILL'),
    async after(scene) {
      const raw = new Redis(scene.redis.url)
      try {
        // what the queue itself has is kept at the next beat of a worker
        await until(async () => (await staying(raw)).length === 0, 'nothing stays in Redis for ever', 5)
      } finally {
        raw.disconnect()
      }
    },
  },
  cut('worker-cut-1', 'a worker', 1, 1, 0),
  cut('client-cut-1', 'the client', 3, 1, 0),
  cut('worker-cut-60', 'a worker', 1, 60, 1),
  cut('client-cut-60', 'the client', 3, 60, 0),
]

/** What a round gave; throws where it is not what was promised. */
export interface Round {
  readonly sent: number
  readonly came: number
  /** Rows that the error names as in doubt. */
  readonly doubt: number
  readonly seconds: number
}

export async function round(scene: Scene, fault: Fault, rows = 1500): Promise<Round> {
  const from = performance.now()
  let told = await scene.map(rows, fault.retries, fault.strike)
  await fault.after?.(scene)
  if (told === 'killed') told = await scene.map(rows, 0, () => 0)
  if (told === 'killed') throw new Error('the client ended without a word')
  const seconds = (performance.now() - from) / 1000
  if ('error' in told) {
    // one row after the other is done once at the most: those that nobody answers for are named
    if (fault.retries > 0 || told.error !== 'WorkerLostError' || told.rows === 0) throw new Error(told.message)
    return { sent: rows, came: 0, doubt: told.rows, seconds }
  }
  if (told.rows !== rows || told.sent !== told.came)
    throw new Error(`${fault.what}: ${told.rows} of ${rows} rows, checksums ${told.sent} and ${told.came}`)
  return { sent: rows, came: told.rows, doubt: 0, seconds }
}
