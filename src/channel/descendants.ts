/** The programs that a session's DLLs have started. Wine detaches them from the process that started them: only their environment tells whose they are. */
import { readdirSync, readFileSync } from 'node:fs'

/** Names the session in the environment of all that it starts, the host first of all. */
export const MARK = 'ZUGBRUECKE_SESSION'
/**
 * Wine's own processes. They serve all sessions of a prefix and end by themselves, but carry the mark of the session
 * that needed them first.
 */
const SERVICES =
  /(^|[\\/])(wineserver(64)?|(services|winedevice|plugplay|svchost|rpcss)\.exe|explorer\.exe\0\/desktop\b[^\0]*)(\0|$)/i
/** Looks at all processes: a program that is being started during one look is found by the next. */
const ROUNDS = 5

/** The mark of one session. It begins with `all`, which is the mark of all sessions of a supervisor. */
export const markOf = (all: string, session: number): string => `${all}${session}.`

const numbered = () => readdirSync('/proc').filter(name => /^\d+$/.test(name))

function isMarked(pid: string, entry: string): boolean {
  try {
    return (
      `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(entry) &&
      !SERVICES.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    )
  } catch {
    return false // gone, or another user's
  }
}

/** Sends a signal to all processes whose mark begins with `mark`; false if there are none. */
function signal(mark: string, name: 'SIGKILL' | 'SIGCONT'): boolean {
  const found = numbered().filter(pid => isMarked(pid, `\0${MARK}=${mark}`))
  for (const pid of found)
    try {
      process.kill(Number(pid), name)
    } catch {
      // gone by itself
    }
  return found.length > 0
}

/**
 * Ends all processes whose mark begins with `mark`, which takes some milliseconds. One whose environment has lost the
 * mark is not found: only a sandbox holds that.
 */
export function endPrograms(mark: string): void {
  for (let round = 0; round < ROUNDS && signal(mark, 'SIGKILL'); round++);
}

/** Continues those that were stopped (SIGSTOP). */
export function continuePrograms(mark: string): void {
  signal(mark, 'SIGCONT')
}
