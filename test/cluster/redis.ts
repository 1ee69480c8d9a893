/** A real Redis of a suite's own, and workers of its own, as programs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { until } from '../session/support.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Why suites that need Redis are skipped; undefined where it is there. */
export const withoutRedis =
  spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'redis-server is not installed'

/** Has it listen at a free port of this machine, and gives that. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

/** The keys that have no time to live. */
export async function staying(raw: Redis, pattern = '*'): Promise<string[]> {
  const keys = await raw.keys(pattern)
  const times = await Promise.all(keys.map(key => raw.pttl(key)))
  return keys.filter((_, i) => times[i] === -1)
}

export class OwnRedis {
  readonly folder = mkdtempSync(join(tmpdir(), 'zugbruecke-redis-'))
  process: ChildProcess | undefined
  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
    private readonly within: readonly string[],
  ) {}

  static async start(options: readonly string[] = [], within: readonly string[] = []): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort(), options, within)
    await redis.start()
    return redis
  }
  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }
  async start(): Promise<void> {
    const own = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder]
    const kept = ['--save', '', '--appendonly', 'yes', '--logfile', '']
    const [command, ...args] = [...this.within, 'redis-server', ...own, ...kept, ...this.options]
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.process = child
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    await until(() => said.includes('Ready to accept connections') || child.exitCode !== null, 'Redis is up', 30)
    if (child.exitCode !== null) throw new Error(`redis-server ended: ${said}`)
  }
  /** Ends it without a word. */
  async kill(): Promise<void> {
    const { process: one } = this
    if (!one || one.exitCode !== null || one.signalCode !== null) return
    const gone = new Promise(resolve => one.once('exit', resolve))
    one.kill('SIGKILL')
    await gone
  }
  async end(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export class OwnWorker {
  said = ''
  private constructor(readonly process: ChildProcess) {}

  /** Settles when it takes work. */
  static async start(
    url: string,
    queue: string,
    options: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    /** A command that the worker's is put behind: of a network namespace, say. */
    within: readonly string[] = [],
  ): Promise<OwnWorker> {
    const own = ['worker', '--redis', url, '--queue', queue, ...options]
    const [command, ...args] = [...within, process.execPath, join(root, 'dist/src/cli/main.js'), ...own]
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ZUGBRUECKE_STDERR: 'false', ...env },
    })
    const worker = new OwnWorker(child)
    const take = (text: string) => {
      worker.said += text
    }
    child.stdout?.setEncoding('utf8').on('data', take)
    child.stderr?.setEncoding('utf8').on('data', take)
    await until(() => worker.said.includes('working') || child.exitCode !== null, 'the worker is up', 60)
    if (child.exitCode !== null) throw new Error(`the worker ended: ${worker.said}`)
    return worker
  }
  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }
  get ended(): Promise<number | null> {
    const { process: child } = this
    if (!this.isRunning) return Promise.resolve(child.exitCode)
    return new Promise(resolve => child.once('exit', resolve))
  }
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const { ended } = this
    this.process.kill(signal)
    return ended
  }
}
