/** `zugbruecke worker`: a worker's life as a program, and what it shows of it. */
import { createServer, type Server } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { SetupError } from '../errors.js'
import type { Arch } from '../runtime/config.js'

/** What `zugbruecke worker` was given on the command line. */
export interface WorkerFlags {
  readonly redis: string
  readonly queue: string
  readonly size: number
  readonly allowUpload?: boolean
  readonly sandbox: boolean
  readonly jobs: string
  readonly lock: number
  readonly health?: number
  readonly arch?: Arch
}

/** What the command line needs of a worker. */
interface Running {
  readonly name: string
  stats(): {
    readonly size: number
    readonly busy: number
    readonly completed: number
    readonly failed: number
    readonly connected: boolean
    readonly closing: boolean
    readonly health: string
    readonly trouble: string | undefined
  }
  close(force?: boolean): Promise<void>
}
interface Cluster {
  readonly ClusterWorker: { start(options: object): Promise<Running> }
}

/**
 * How much larger than what lives the heap becomes before all of it is looked through, in percent. Chunks count as much as objects do, and a
 * few of them would be reason enough each time: that was half of what a worker did beside its sessions.
 */
const GROWING = 400
/** Milliseconds between two looks: on a terminal a line that changes; elsewhere one where what it does has changed, and for numbers alone not so often. */
const SHOWN = 500
const LOGGED = 30_000

async function loadCluster(): Promise<Cluster> {
  try {
    return (await import(new URL('../cluster/index.js', import.meta.url).href)) as Cluster
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new SetupError('a worker needs the packages bullmq and ioredis: npm install bullmq ioredis', { cause: error })
  }
}

/** Resolves when the worker has ended. */
export async function runWorker(options: WorkerFlags): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${GROWING}`)
  const { ClusterWorker } = await loadCluster()
  const { redis: connection, queue, size, allowUpload, sandbox, jobs, lock, health, arch } = options
  const worker = await ClusterWorker.start({
    connection,
    queue,
    size,
    jobs,
    lock,
    ...(allowUpload ? { allowUpload, sandbox } : {}),
    ...(arch ? { arch } : {}),
  })
  let over: () => void = () => {}
  let failed: (error: Error) => void = () => {}
  const ended = new Promise<void>((resolve, reject) => {
    over = resolve
    failed = reject
  })
  let server: Server | undefined
  try {
    if (health !== undefined) server = await serveHealth(worker, health)
  } catch (error) {
    await worker.close()
    throw error
  }
  const said = say(worker, queue)
  let asked = 0
  const stop = () => {
    // what it has is missed by and by, and its sessions end with this program
    if (asked++ > 0) process.exit(1)
    worker.close().then(over, failed)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  try {
    await ended
  } finally {
    said.end()
    server?.close()
    process.off('SIGTERM', stop).off('SIGINT', stop)
  }
}

function say(worker: Running, queue: string): { end(): void } {
  const { stderr } = process
  let last = ''
  let lastState = ''
  let logged = 0
  const state = () => {
    const { connected, closing, trouble } = worker.stats()
    if (closing) return 'finishing'
    if (trouble !== undefined) return `takes nothing until it can again (${trouble})`
    return connected ? 'working' : 'waiting for Redis'
  }
  const line = () => {
    const { size, busy, completed, failed } = worker.stats()
    return `worker ${worker.name} on ${queue}: ${state()}; sessions: ${size}; jobs: ${busy} under way, ${completed} done, ${failed} failed`
  }
  const show = () => {
    const now = line()
    const nowState = state()
    const isDue = stderr.isTTY || nowState !== lastState || performance.now() - logged > LOGGED
    if (now === last || !isDue) return
    stderr.write(stderr.isTTY ? `\r\x1b[K${now.replace(/\s+/g, ' ')}` : `${now}\n`)
    last = now
    lastState = nowState
    logged = performance.now()
  }
  show()
  const timer = setInterval(show, SHOWN)
  return {
    end() {
      clearInterval(timer)
      stderr.write(`${stderr.isTTY ? '\r\x1b[K' : ''}${line()}\n`)
    },
  }
}

/** 200 as long as it takes work, 503 otherwise; the numbers are in the body. */
async function serveHealth(worker: Running, port: number): Promise<Server> {
  const server = createServer((_request, response) => {
    const stats = worker.stats()
    const works = stats.connected && !stats.closing && stats.trouble === undefined && stats.health !== 'down'
    response.writeHead(works ? 200 : 503, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(stats)}\n`)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(new SetupError(`--health ${port}: ${error.message}`, { cause: error })))
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address === 'object' && address) process.stderr.write(`health: http://127.0.0.1:${address.port}/\n`)
  return server
}
