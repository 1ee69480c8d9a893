/**
 * One thread for all sessions of a program. It starts the Windows processes, drains what they print, and sees them end. It never
 * blocks: a session's worker may sit in a read and the caller in a wait, and a process whose output nobody drains would stop.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { endPrograms, MARK, markOf } from '../src/channel/descendants.js'
import { handingNothingOn } from '../src/channel/descriptors.js'
import { viewOf } from '../src/channel/libc.js'
import { forgetView } from '../src/channel/mapping.js'
import type { Segment } from '../src/channel/segment.js'
import { EndReason, Life, SharedState, SharedWord } from '../src/channel/shared.js'
import { DepartedThread } from '../src/channel/threads.js'
import { ControlWord } from '../src/codec/layout.js'
import { SessionStartError, SessionTerminatedError } from '../src/errors.js'
import { expose } from '../src/session/life/comlink.js'
import { startGuard } from '../src/session/life/guard.js'
import { Output, type Printer, writerTo } from '../src/session/life/output.js'

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
  readonly memory: SharedArrayBuffer
  readonly segment: Segment
  readonly show: { readonly stdout: boolean; readonly stderr: boolean }
  /** Given to the process as its descriptors 3 and on; behind them is one that tells the number of the process that counts (bwrap). */
  readonly inherited?: readonly number[]
}

/** What a process prints. */
interface Said extends Printer {
  pid: number
  show: SpawnOptions['show']
  /** The end of what it wrote to stderr. */
  tail: Buffer
}

interface Ward {
  readonly child: ChildProcess
  readonly said: Said
  readonly shared: SharedState
  readonly segment: Segment
  /** Told of the end of the process, and closed by the end of the threads that joined. */
  readonly members: Set<MessagePort>
  /** Threads that have ended and still have something under way. */
  readonly departed: Set<DepartedThread>
  readonly gone: Promise<void>
}

const wards = new Map<number, Ward>()

/** Names all sessions of this thread in the environment of what their DLLs start, with a number behind it one of them. */
const mark = `${randomBytes(12).toString('hex')}.`
let sessions = 0

const waiting = (workerData as { readonly waiting?: Int32Array } | null)?.waiting ?? new Int32Array(2)
const told = (printer: Printer, bytes: number) => {
  const text = `zugbruecke: ${bytes} bytes that the Windows process ${(printer as Said).pid} printed were dropped, for nobody took them\n`
  stderr.print(printer, Buffer.from(text))
}
const stdout = new Output(writerTo(1), waiting, told)
const stderr = new Output(writerTo(2), waiting, told)

/** The process that bubblewrap started, as it tells itself. Throws SessionStartError. */
async function innerProcess(info: Readable, said: Said): Promise<number> {
  let text = ''
  for await (const chunk of info) text += chunk
  const pid = /"child-pid"\s*:\s*(\d+)/.exec(text)?.[1]
  if (pid) return Number(pid)
  throw new SessionStartError(`bubblewrap started nothing: ${said.tail.toString().trim() || 'it gave no reason'}`)
}

/** How often those are looked after whose threads have ended with something under way, in milliseconds. */
const PATROL = 20
let patrol: NodeJS.Timeout | undefined

function lookAfterDeparted(): void {
  let any = false
  for (const { departed } of wards.values()) {
    for (const thread of departed) if (thread.settle()) departed.delete(thread)
    any ||= departed.size > 0
  }
  if (any) patrol ??= setInterval(lookAfterDeparted, PATROL)
  else {
    clearInterval(patrol)
    patrol = undefined
  }
}

const supervisor = {
  /** Starts a Windows process; gives its Unix process id. */
  async spawn(options: SpawnOptions): Promise<number> {
    const shared = new SharedState(options.memory)
    // a sandbox ends with all that is in it
    const own = options.inherited ? undefined : markOf(mark, ++sessions)
    const start = () =>
      spawn(options.command, options.args, {
        env: own ? { ...options.env, [MARK]: own } : options.env,
        cwd: options.cwd,
        stdio: ['pipe', 'pipe', 'pipe', ...(options.inherited ? [...options.inherited, 'pipe' as const] : [])],
        // a process group of its own: Ctrl-C in a terminal is for the program, not for its sessions
        detached: true,
      })
    const child = options.inherited ? handingNothingOn(start) : start()
    if (child.pid === undefined) {
      const error = await new Promise<Error>(resolve => child.once('error', resolve))
      throw new SessionStartError(`${options.command} cannot be started: ${error.message}`, { cause: error })
    }
    const exited = new Promise<number>(resolve => {
      child.once('exit', (code, signal) => resolve(code ?? -(signal ? 1 : 0)))
    })
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    const said: Said = { show: options.show, tail: Buffer.alloc(0), held: 0, dropped: 0, pid: child.pid }
    child.stdin?.on('error', () => {})
    child.stdout?.on('data', (chunk: Buffer) => {
      if (said.show.stdout) stdout.print(said, chunk)
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      said.tail = Buffer.concat([said.tail, chunk]).subarray(-TAIL)
      if (said.show.stderr) stderr.print(said, chunk)
    })
    const pid = options.inherited
      ? await innerProcess(child.stdio[3 + options.inherited.length] as Readable, said)
      : child.pid
    said.pid = pid
    const over = (code: number) => {
      wards.delete(pid)
      // not closed: that is how the end of their threads is seen, which have views of the segment until then
      for (const port of ward.members) port.postMessage('over')
      const { address, size } = options.segment
      const row = new Int32Array(viewOf(address, size))[ControlWord.runningRow / 4]
      if (shared.life() !== Life.dead) Atomics.store(shared.i32, SharedWord.runningRow, row)
      shared.end(EndReason.crashed, code, said.tail)
    }
    const ward: Ward = {
      child,
      said,
      shared,
      segment: options.segment,
      members: new Set(),
      departed: new Set(),
      // its end waits for the pipes, which a service of Wine's may have inherited: not for long
      gone: exited.then(async code => {
        if (own) endPrograms(own)
        // and once around the event loop: where this thread has had no core the time is over before anything was read
        await Promise.race([closed, sleep(LAST_WORDS).then(() => setImmediate())])
        over(code)
      }),
    }
    wards.set(pid, ward)
    if (sessions === 1 && own) startGuard(mark)
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

  /** A thread joins a session, and holds the other end of the port. Its end is seen here, because here nothing blocks. Throws SessionTerminatedError. */
  member(pid: number, thread: number, port: MessagePort): void {
    const ward = wards.get(pid)
    if (!ward) {
      port.close()
      // it must not map the segment: nobody would see its end, and the addresses would never be given back
      throw new SessionTerminatedError('the session has ended: start a new one')
    }
    ward.members.add(port)
    port.once('close', () => {
      ward.members.delete(port)
      const { shared, segment } = ward
      // before its number may be another's
      forgetView(segment, shared, thread)
      if (shared.life() === Life.dead) return
      ward.departed.add(new DepartedThread(segment, shared, thread))
      lookAfterDeparted()
    })
    port.unref()
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
