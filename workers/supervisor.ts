/**
 * One thread for all sessions of a program. It starts the Windows processes, drains what they print, and sees them end. It never
 * blocks: a session's worker may sit in a read and the caller in a wait, and a process whose output nobody drains would stop.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { bury } from '../src/channel/membership.js'
import { ringIfThere } from '../src/channel/segment.js'
import { EndReason, Life, Shared, SharedState, WorkerState } from '../src/channel/shared.js'
import type { SharedMemory } from '../src/codec/webassembly.js'
import { SessionStartError } from '../src/errors.js'
import { expose } from '../src/session/comlink.js'

/** How long a process that has ended may still be heard, in milliseconds. */
const LAST_WORDS = 30
/** Timers cannot be longer, in milliseconds: what asks for more has no limit. */
const MAX_TIMER = 0x7fffffff
/** Kept of what a process wrote to stderr, in characters. */
const TAIL = 8192

export interface SpawnOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly memory: SharedMemory
  readonly nodeDoorbell: number
  readonly segment: number
  readonly show: { readonly stdout: boolean; readonly stderr: boolean }
  /** Given to the process as its descriptors 3 and on; behind them is one that tells the number of the process that counts (bwrap). */
  readonly inherited?: readonly number[]
}

/** What a process prints. */
interface Said {
  show: SpawnOptions['show']
  /** The end of what it wrote to stderr. */
  tail: Buffer
}

interface Ward {
  readonly child: ChildProcess
  readonly said: Said
  readonly shared: SharedState
  readonly nodeDoorbell: number
  /** Closed by the end of the threads that joined. */
  readonly members: Set<MessagePort>
  /** Jobs that run under a time limit. */
  limited: number
  readonly gone: Promise<void>
}

const wards = new Map<number, Ward>()

/** Writes through at once: what a worker's own `process.stdout` holds is lost when the program exits. */
function print(fd: number, chunk: Uint8Array): void {
  for (let done = 0, tries = 0; done < chunk.length && tries < 1000; ) {
    try {
      done += writeSync(fd, chunk, done)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      tries++
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

/** The process that bubblewrap started, as it tells itself. Throws SessionStartError. */
async function innerProcess(info: Readable, said: Said): Promise<number> {
  let text = ''
  for await (const chunk of info) text += chunk
  const pid = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1]
  if (pid) return Number(pid)
  throw new SessionStartError(`bubblewrap started nothing: ${said.tail.toString().trim() || 'it gave no reason'}`)
}

/** How often the clock is looked at while a job runs under a time limit, in milliseconds. */
const TICK = 20
/**
 * How often workers that sit in a read are woken, in milliseconds: a thread that is ended meanwhile, for instance with the thread
 * that started the session, ends only when it comes back from there.
 */
const PATROL = 1000
let clock: NodeJS.Timeout | undefined
let patrol: NodeJS.Timeout | undefined

function watchClock(): void {
  const any = [...wards.values()].some(({ limited }) => limited > 0)
  if (any) clock ??= setInterval(lookAtClock, TICK)
  else {
    clearInterval(clock)
    clock = undefined
  }
  if (wards.size > 0) patrol ??= setInterval(wakeBlocked, PATROL)
  else {
    clearInterval(patrol)
    patrol = undefined
  }
}

function wakeBlocked(): void {
  for (const { shared, nodeDoorbell } of wards.values())
    if (Atomics.load(shared.i32, Shared.workerState) === WorkerState.blocked) ringIfThere(nodeDoorbell)
}

function lookAtClock(): void {
  for (const { shared, nodeDoorbell } of wards.values()) {
    const wake = Atomics.load(shared.i32, Shared.jobWake)
    if (wake === 0 || (((Date.now() | 0) - wake) | 0) < 0) continue
    // once: a worker that does not read would let the doorbell run full
    Atomics.compareExchange(shared.i32, Shared.jobWake, wake, 0)
    ringIfThere(nodeDoorbell)
  }
}

const supervisor = {
  /** Starts a Windows process; gives its Unix process id. */
  async spawn(options: SpawnOptions): Promise<number> {
    const shared = new SharedState(options.memory)
    const child = spawn(options.command, options.args, {
      env: options.env,
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe', ...(options.inherited ? [...options.inherited, 'pipe' as const] : [])],
      // a process group of its own: Ctrl-C in a terminal is for the program, not for its sessions
      detached: true,
    })
    if (child.pid === undefined) {
      const error = await new Promise<Error>(resolve => child.once('error', resolve))
      throw new SessionStartError(`${options.command} cannot be started: ${error.message}`, { cause: error })
    }
    const exited = new Promise<number>(resolve => {
      child.once('exit', (code, signal) => resolve(code ?? -(signal ? 1 : 0)))
    })
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    const said = { show: options.show, tail: Buffer.alloc(0) }
    child.stdin?.on('error', () => {})
    child.stdout?.on('data', (chunk: Buffer) => {
      if (said.show.stdout) print(1, chunk)
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said.tail = Buffer.concat([said.tail, chunk]).subarray(-TAIL)
      if (said.show.stderr) print(2, chunk)
    })
    const pid = options.inherited
      ? await innerProcess(child.stdio[3 + options.inherited.length] as Readable, said)
      : child.pid
    const over = (code: number) => {
      wards.delete(pid)
      watchClock()
      for (const port of ward.members) port.close()
      shared.keepRow(options.segment)
      shared.end(EndReason.crashed, code, said.tail)
      ringIfThere(options.nodeDoorbell)
    }
    const ward: Ward = {
      child,
      said,
      shared,
      nodeDoorbell: options.nodeDoorbell,
      members: new Set(),
      limited: 0,
      // its end waits for the pipes, which a service of Wine's may have inherited: not for long
      gone: exited.then(async code => {
        await Promise.race([closed, new Promise(resolve => setTimeout(resolve, LAST_WORDS))])
        over(code)
      }),
    }
    wards.set(pid, ward)
    watchClock()
    return pid
  },

  /** Ends a process gently: it is told to leave, and after `patience` milliseconds it is killed. Settles when it is gone. */
  async stop(pid: number, patience: number): Promise<void> {
    const ward = wards.get(pid)
    if (!ward) return
    // not its end: that comes when this program dies meanwhile, and makes it hurry
    ward.child.stdin?.write('\n')
    const timer = patience < MAX_TIMER ? setTimeout(() => ward.child.kill('SIGKILL'), patience) : undefined
    await ward.gone
    clearTimeout(timer)
  },

  /** A thread has joined a session, and holds the other end of the port. Its end is seen here, because here nothing blocks. */
  member(pid: number, thread: number, port: MessagePort): void {
    const ward = wards.get(pid)
    if (!ward) {
      port.close()
      return
    }
    ward.members.add(port)
    port.once('close', () => {
      ward.members.delete(port)
      if (ward.shared.life() === Life.dead) return
      bury(ward.shared, thread)
      ringIfThere(ward.nodeDoorbell)
    })
    port.unref()
  },

  /** A job that is under a time limit begins or ends: it may sit in a read, and has to be woken when its time is over. */
  watch(pid: number, begins: boolean): void {
    const ward = wards.get(pid)
    if (ward) ward.limited += begins ? 1 : -1
    watchClock()
  },

  show(pid: number, show: SpawnOptions['show']): void {
    const ward = wards.get(pid)
    if (ward) ward.said.show = show
  },
}

export type Supervisor = typeof supervisor

if (parentPort) {
  parentPort.once('message', (port: MessagePort) => {
    expose(supervisor, port)
    // this thread has nothing else that keeps it
    port.ref()
  })
}
