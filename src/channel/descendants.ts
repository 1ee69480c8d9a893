/**
 * The programs that a session's DLLs have started. Wine detaches them from the process that started them, so that only
 * their environment tells which session they belong to.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Environment variable that names the session: the host has it, and each program that the host starts inherits it. */
export const MARK = 'ZUGBRUECKE_SESSION'
/**
 * Wine's own processes. They serve all sessions of a prefix and end by themselves, but carry the mark of the session
 * that needed them first.
 */
const SERVICES =
  /(^|[\\/])(wineserver(64)?|(services|winedevice|plugplay|svchost|rpcss)\.exe|explorer\.exe\0\/desktop\b[^\0]*)(\0|$)/i
/** So often all processes are looked at: a program that is being started during one look is found by the next. */
const ROUNDS = 5

/** The mark of one session. It begins with `all`, which the marks of all sessions of a supervisor begin with. */
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
 * Ends all processes whose mark begins with `mark`, which takes some milliseconds. A process that was started without
 * the mark in its environment is not found; only a sandbox ends such a one.
 */
export function endPrograms(mark: string): void {
  for (let round = 0; round < ROUNDS && signal(mark, 'SIGKILL'); round++);
}

/** Continues processes with the mark that were stopped (SIGSTOP). */
export function continuePrograms(mark: string): void {
  signal(mark, 'SIGCONT')
}
