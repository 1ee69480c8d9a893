/** The programs that a session's DLLs have started. Wine detaches them from the process that started them: only their environment tells whose they are. */
import { readdirSync, readFileSync } from 'node:fs'

/** Names the session in the environment of all that it starts, the host first of all. */
export const MARK = 'ZUGBRUECKE_SESSION'
/** Wine's own, which serve all sessions of a prefix and go by themselves, whichever session needed them first. */
const SERVICES =
  /(^|[\\/])(wineserver(64)?|(services|winedevice|plugplay|svchost|rpcss)\.exe|explorer\.exe\0\/desktop\b[^\0]*)(\0|$)/i
/** What is being started while one looks is found the next time. */
const ROUNDS = 5

/** Of one session, given the mark of all sessions of a supervisor: the one begins with the other. */
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

/** Sends a signal to what has a mark that begins so; false where nothing has. */
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

/** Ends them; some milliseconds. What a program has taken the mark off is not found: that takes a sandbox. */
export function endPrograms(mark: string): void {
  for (let round = 0; round < ROUNDS && signal(mark, 'SIGKILL'); round++);
}

/** Has those go on that were stopped (SIGSTOP). */
export function continuePrograms(mark: string): void {
  signal(mark, 'SIGCONT')
}
