/**
 * What a DLL, a process or a program may do to a session. Each says what is to become of the session: it lives, it ends, or either
 * may be right. Whatever becomes of it, each call comes out as a right value or as an error of ours.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CFUNCTYPE,
  type CtypesSession,
  c_char_p,
  c_int,
  c_longlong,
  c_uint,
  c_ulonglong,
  c_void_p,
  type Library,
} from 'zugbruecke'
import { HOSTILE } from './hostile.js'
import type { Random } from './random.js'

export interface Round {
  readonly session: CtypesSession
  readonly random: Random
  library(name: string): Library
  /** Notes how it comes out; nothing is expected of it but to settle, unless a value is given. */
  settle(promise: PromiseLike<unknown>, expected?: unknown): void
}

export interface Fault {
  readonly name: string
  readonly becomes: 'lives' | 'ends' | 'either'
  /** Only where machine code of this architecture does it. */
  readonly arch?: 'win64'
  /** Results may be written over before Node has them: none is expected. */
  readonly spoils?: true
  /** Does something to Wine's services, which are the session's own then. */
  readonly services?: true
  readonly act: (round: Round) => void | Promise<void>
}

const Unary = CFUNCTYPE(c_int, c_int)
const kill = (pid: number | undefined, signal: NodeJS.Signals) => {
  try {
    process.kill(pid as number, signal)
  } catch {
    // it has ended already
  }
}

/** One call of a routine that takes nothing. */
const calls =
  (dll: string, routine: string) =>
  ({ library, settle }: Round) =>
    settle(library(dll).func(routine, [], null)())
/** One call of a routine that takes an integer. */
const callsWith =
  (dll: string, routine: string, value: number) =>
  ({ library, settle }: Round) =>
    settle(library(dll).func(routine, [c_int], c_int)(value))

const hang = (round: Round) => round.library('faults').func('hang', [c_int], c_int)

const inRoutines: Fault[] = [
  {
    name: 'reads a bad address',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('faults').func('read_at', [c_ulonglong], c_int)(16)),
  },
  {
    name: 'writes to a bad address',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('faults').func('write_at', [c_ulonglong], c_int)(0x7fff0001234)),
  },
  { name: 'jumps to a bad address', becomes: 'either', act: calls('ruin', 'jump_nowhere') },
  {
    name: 'divides by zero',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('faults').func('divide', [c_int, c_int], c_int)(1, 0)),
  },
  { name: 'overflows its stack', becomes: 'lives', act: callsWith('faults', 'overflow', 0) },
  {
    name: 'raises an exception of C++',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('faults').func('raise_exception', [c_uint], null)(0xe06d7363)),
  },
  { name: 'calls what Wine has not written', becomes: 'lives', act: calls('vanishing', 'miss') },
  { name: 'executes an illegal instruction', becomes: 'lives', act: calls('ruin', 'illegal') },
  { name: 'executes a breakpoint', becomes: 'either', act: calls('ruin', 'stop_there') },
  { name: 'executes a privileged instruction', becomes: 'lives', act: calls('ruin', 'privileged') },
  { name: 'fails fast (int 0x29)', becomes: 'either', act: calls('ruin', 'fail_fast') },
  { name: 'frees twice what it has overwritten', becomes: 'either', act: callsWith('ruin', 'spoil_heap', 400) },
  {
    name: 'leaves the direction flag set',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('unclean').func('backwards', [c_int], c_int)(7), 7),
  },
  {
    name: 'leaves other modes of floating point',
    becomes: 'lives',
    act: ({ library, settle }) => {
      const unclean = library('unclean')
      settle(unclean.func('double rounding(double)')(1.5), 1.5)
      settle(unclean.func('double third(double)')(1), 1 / 3)
      settle(unclean.func('double third(double)')(2), 2 / 3)
    },
  },
  {
    name: 'leaves values on the x87 stack',
    becomes: 'lives',
    act: ({ library, settle }) => {
      const unclean = library('unclean')
      settle(unclean.func('fill_x87', [], null)())
      settle(unclean.func('double third_x87(double)')(1), 1 / 3)
    },
  },
  {
    name: 'returns a bad address as a text',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('rows').func('pointer_of', [c_ulonglong], c_char_p)(0x123456)),
  },
  {
    name: 'prints two megabytes',
    becomes: 'lives',
    act: ({ library, settle }) => settle(library('faults').func('print_error', [c_int], c_int)(2 << 20), 2 << 20),
  },
]

const ending: Fault[] = [
  { name: 'calls ExitProcess', becomes: 'ends', act: callsWith('faults', 'exit_with', 3) },
  { name: 'calls TerminateProcess', becomes: 'ends', act: callsWith('faults', 'terminate_with', 4) },
  { name: 'calls exit', becomes: 'ends', act: callsWith('ruin', 'call_exit', 5) },
  { name: 'calls _exit', becomes: 'ends', act: callsWith('ruin', 'leave_at_once', 6) },
  { name: 'calls abort', becomes: 'ends', act: calls('ruin', 'call_abort') },
  { name: 'writes 400 bytes over its stack', becomes: 'either', act: callsWith('vanishing', 'smash', 400) },
  { name: 'writes 40,000 bytes over its stack', becomes: 'either', act: callsWith('vanishing', 'smash', 40_000) },
  { name: 'calls TerminateThread on its own', becomes: 'ends', act: calls('vanishing', 'end_thread') },
  { name: 'has its thread terminated by another', becomes: 'ends', act: calls('vanishing', 'be_ended') },
  { name: 'calls ExitThread', becomes: 'ends', act: calls('ruin', 'end_thread') },
  { name: 'crashes on a thread of its own', becomes: 'ends', act: calls('vanishing', 'crash_elsewhere') },
  { name: 'closes all handles that it may', becomes: 'lives', act: callsWith('vanishing', 'close_all', 0) },
  { name: 'closes all handles by force', becomes: 'either', act: callsWith('vanishing', 'close_all', 1) },
  {
    name: 'writes over the shared memory',
    becomes: 'either',
    spoils: true,
    act: ({ library, settle, random }) => {
      const scribble = library('ruin').func('scribble', [c_void_p, c_uint, c_int], c_int)
      settle(scribble(new Int32Array(4), random.below(2 ** 31), 2000))
    },
  },
  {
    name: 'writes over the shared memory all the time',
    becomes: 'either',
    spoils: true,
    act: async ({ library, settle, session }) => {
      settle(library('ruin').func('keep_scribbling', [c_void_p], null)(new Int32Array(4)))
      await sleep(100)
      for (let i = 0; i < 20 && session.up; i++) settle(library('ruin').func('add', [c_int, c_int], c_int)(i, 1))
    },
  },
  {
    name: 'fills the pipes that wake both sides',
    becomes: 'either',
    arch: 'win64',
    act: async ({ library, settle, session }) => {
      const linux = library('linux').func(
        'linux_call',
        [c_longlong, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p],
        c_longlong,
      )
      const [OPEN, WRITE, RDWR_NONBLOCK] = [2, 1, 0o4002]
      const bytes = Buffer.alloc(1 << 17)
      for (const [fd, pipe] of bells()) {
        const path = Buffer.from(`/proc/${process.pid}/fd/${fd}\0`)
        const opened = await linux(OPEN, path, RDWR_NONBLOCK, null, null, null).catch(() => -1)
        // sessions come and go beside this one: the number may by now be of the pipe that a thread of Node's hears signals by
        if (linkOf(`/proc/${session.pid}/fd/${opened}`) !== pipe) continue
        settle(linux(WRITE, Number(opened), bytes, bytes.length, null, null))
      }
    },
  },
]

/** Pipes of this process that are open for both directions, as those of sessions are: the number of each, and what it leads to. */
function bells(): [fd: string, pipe: string][] {
  return readdirSync('/proc/self/fd').flatMap((fd): [string, string][] => {
    const pipe = linkOf(`/proc/self/fd/${fd}`)
    if (!pipe?.startsWith('pipe:')) return []
    try {
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0'
      return (Number.parseInt(flags, 8) & 3) === 2 ? [[fd, pipe]] : []
    } catch {
      return []
    }
  })
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** In milliseconds: long enough that a call is under way by then also where all cores are busy, for one that still waits is withdrawn. */
const LIMIT = 1000

const stopping: Fault[] = [
  {
    name: 'hangs, with a time limit',
    becomes: 'ends',
    act: round => round.settle(hang(round).with({ timeout: LIMIT })(60_000)),
  },
  {
    name: 'computes for ever, with a time limit',
    becomes: 'ends',
    act: ({ library, settle }) => settle(library('ruin').func('spin', [], null).with({ timeout: LIMIT })()),
  },
  {
    name: 'suspends its own thread, with a time limit',
    becomes: 'ends',
    act: ({ library, settle }) => settle(library('ruin').func('suspend', [], null).with({ timeout: LIMIT })()),
  },
  {
    name: 'hangs, and is aborted',
    becomes: 'ends',
    act: round => round.settle(hang(round).with({ signal: AbortSignal.timeout(LIMIT) })(60_000)),
  },
  {
    name: 'hangs in a row of a batch, with a time limit',
    becomes: 'ends',
    act: async round => {
      await round.session.setParameter({ timeout_call: 0.15 })
      round.settle(hang(round).batch([Int32Array.of(0, 1, 60_000, 0)]))
    },
  },
  {
    name: 'hangs, and the session is terminated',
    becomes: 'ends',
    act: async round => {
      round.settle(hang(round)(60_000))
      await sleep(round.random.below(50))
      round.settle(round.session.terminate())
    },
  },
]

const inCallbacks: Fault[] = [
  {
    name: 'calls a callback that throws',
    becomes: 'lives',
    act: ({ library, settle }) => {
      const apply = library('callbacks').func('apply', [Unary, c_int], c_longlong)
      const thrown = new Error('thrown by a callback')
      settle(
        apply(() => {
          throw thrown
        }, 5).then(
          () => 'no error',
          error => error === thrown,
        ),
        true,
      )
    },
  },
  {
    name: 'calls an async callback that rejects',
    becomes: 'lives',
    act: ({ library, settle }) => {
      const apply = library('callbacks').func('apply', [Unary, c_int], c_longlong)
      const thrown = new Error('thrown by a callback')
      settle(
        apply(async () => {
          await sleep(1)
          throw thrown
        }, 3).then(
          () => 'no error',
          error => error === thrown,
        ),
        true,
      )
    },
  },
  {
    name: 'waits for a callback that never returns, with a time limit',
    becomes: 'ends',
    act: ({ library, settle }) => {
      const once = library('callbacks').func('call_once', [Unary, c_int], c_int)
      settle(once.with({ timeout: LIMIT })((() => new Promise(() => {})) as never, 1))
    },
  },
  {
    name: 'calls a callback that has the process ended',
    becomes: 'ends',
    act: ({ library, settle }) => {
      const exit = library('faults').func('exit_with', [c_uint], null)
      const once = library('callbacks').func('call_once', [Unary, c_int], c_int)
      settle(
        once(async value => {
          settle(exit(3))
          return value
        }, 1),
      )
    },
  },
  {
    name: 'calls a callback that terminates the session',
    becomes: 'ends',
    act: ({ library, settle, session }) => {
      const once = library('callbacks').func('call_once', [Unary, c_int], c_int)
      settle(
        once(value => {
          settle(session.terminate())
          return value
        }, 1),
      )
    },
  },
  {
    name: 'calls a callback that is disposed',
    becomes: 'lives',
    act: async ({ library, settle }) => {
      const callbacks = library('callbacks')
      const kept = Unary(value => value)
      await callbacks.func('keep', [Unary], null)(kept)
      kept.dispose()
      settle(callbacks.func('call_kept', [c_int], c_int)(5), 0)
    },
  },
  {
    name: 'jumps over an open callback',
    becomes: 'ends',
    act: ({ library, settle }) => {
      const callbacks = library('callbacks')
      const jump = callbacks.func('jump', [], null)
      settle(
        callbacks.func(
          'jump_over',
          [Unary],
          c_int,
        )(async () => {
          await jump()
          return 1
        }),
      )
    },
  },
  {
    name: 'ends its thread in a callback',
    becomes: 'ends',
    act: ({ library, settle }) => {
      const callbacks = library('callbacks')
      const end = callbacks.func('end_thread', [], null)
      settle(
        callbacks.func(
          'call_once',
          [Unary, c_int],
          c_int,
        )(async () => {
          await end()
          return 1
        }, 1),
      )
    },
  },
  {
    name: 'is killed while callbacks of its threads are open',
    becomes: 'ends',
    act: async ({ library, settle, session, random }) => {
      const onThreads = library('callbacks').func('on_threads', [Unary, c_int, c_int], c_longlong)
      settle(onThreads(value => value, 4, 500))
      await sleep(random.below(20))
      kill(session.pid, 'SIGKILL')
    },
  },
]

const fromOutside: Fault[] = [
  { name: 'is killed, idle or at work', becomes: 'ends', act: ({ session }) => kill(session.pid, 'SIGKILL') },
  {
    name: 'is killed at a random moment',
    becomes: 'ends',
    act: async round => {
      for (let i = 0; i < 300; i++)
        round.settle(round.library('faults').func('add', [c_int, c_int], c_int)(i, 1), i + 1)
      await sleep(round.random.below(8))
      kill(round.session.pid, 'SIGKILL')
    },
  },
  {
    name: 'is killed in a batch',
    becomes: 'ends',
    act: async round => {
      const rows = Int32Array.from({ length: 200_000 }, (_, i) => i)
      round.settle(round.library('faults').func('add', [c_int, c_int], c_int).batch([rows, 1]))
      await sleep(round.random.below(10))
      kill(round.session.pid, 'SIGKILL')
    },
  },
  {
    name: 'is stopped for a while (SIGSTOP)',
    becomes: 'lives',
    act: async ({ session, random }) => {
      kill(session.pid, 'SIGSTOP')
      await sleep(random.below(400))
      kill(session.pid, 'SIGCONT')
    },
  },
  {
    name: 'is stopped (SIGSTOP), and terminated',
    becomes: 'ends',
    act: async ({ session, settle }) => {
      kill(session.pid, 'SIGSTOP')
      await sleep(20)
      settle(session.terminate())
    },
  },
  {
    name: 'is stopped (SIGSTOP), with a time limit',
    becomes: 'ends',
    act: async round => {
      kill(round.session.pid, 'SIGSTOP')
      round.settle(hang(round).with({ timeout: LIMIT })(1))
    },
  },
  {
    name: 'is terminated at a random moment',
    becomes: 'ends',
    act: async round => {
      await sleep(round.random.below(10))
      round.settle(round.session.terminate())
    },
  },
  {
    name: 'has its services killed',
    becomes: 'ends',
    services: true,
    act: async round => {
      kill(wineserver(round.session), 'SIGKILL')
      needServices(round)
    },
  },
  {
    name: 'has its services stopped (SIGSTOP)',
    becomes: 'either',
    services: true,
    act: async round => {
      const server = wineserver(round.session)
      kill(server, 'SIGSTOP')
      setTimeout(() => kill(server, 'SIGCONT'), 4000)
      needServices(round)
    },
  },
]

/** A call that Wine's server has to answer. */
function needServices({ session, settle }: Round): void {
  settle(session.windll.kernel32.func('void *CreateEventA(void *, int, int, void *)')(null, 0, 0, null))
}

/** The server of a session's prefix: the only one, for the prefix is the round's own. */
function wineserver(session: CtypesSession): number {
  const prefix = session.getParameter('prefix')
  const found = readdirSync('/proc').find(pid => {
    try {
      return (
        /wineserver/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1')) &&
        readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`WINEPREFIX=${prefix}\0`)
      )
    } catch {
      return false
    }
  })
  return Number(found)
}

const inFiles: Fault[] = [
  {
    name: 'is not there, or has no such routine',
    becomes: 'lives',
    act: ({ session, library, settle }) => {
      settle(session.cdll.LoadLibrary('no-such.dll'))
      settle(library('faults').func('no_such_routine', [], null)())
      settle(
        library('faults')
          .func(
            'add',
            [c_int],
            c_int,
          )(1)
          .then(() => 'called'),
      )
    },
  },
  {
    name: 'is unloaded under calls',
    becomes: 'lives',
    act: ({ library, settle }) => {
      const tally = library('tally')
      const add = tally.func('add', [c_int, c_int], c_int)
      for (let i = 0; i < 20; i++) settle(add(i, 1), i + 1)
      settle(tally.unload())
      for (let i = 0; i < 20; i++) settle(add(i, 1))
    },
  },
]

export const FAULTS: readonly Fault[] = [
  ...inRoutines,
  ...ending,
  ...stopping,
  ...inCallbacks,
  ...fromOutside,
  ...inFiles,
  ...HOSTILE,
]
