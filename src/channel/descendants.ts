/** The programs that a session's DLLs have started. Wine detaches them from the process that started them: only their environment tells whose they are. */
import { readdirSync, readFileSync } from 'node:fs'

/** Names the session in the environment of all that it starts. */
export const MARK = 'ZUGBRUECKE_SESSION'
/** Wine's own, which serve all sessions of a prefix and go by themselves, whichever session needed them first. */
const SERVICES =
  /(^|[\\/])(wineserver(64)?|(services|winedevice|plugplay|svchost|rpcss)\.exe|explorer\.exe\0\/desktop\b[^\0]*)(\0|$)/i
/** What is being started while one looks is found the next time. */
const ROUNDS = 5

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

/** Ends them; some milliseconds. What a program has taken the mark off is not found: that takes a sandbox. */
export function endPrograms(mark: string): void {
  const entry = `\0${MARK}=${mark}\0`
  for (let round = 0; round < ROUNDS; round++) {
    const found = numbered().filter(pid => isMarked(pid, entry))
    if (found.length === 0) return
    for (const pid of found)
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // gone by itself
      }
  }
}
