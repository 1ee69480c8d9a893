/** How many files this process may have open. Wine's programs, which it starts, may have no more each, and one server opens those of all sessions of a prefix. */
import { readdirSync, readFileSync } from 'node:fs'

/** With less, Wine's services fail at something or other, or wait for ever. */
const LEAST = 256
/** A session has some twenty; for a moment its threads have the modules that they load, too. */
const NEEDED = 64

const MEND = 'raise the limit (ulimit -n, LimitNOFILE of systemd, --ulimit nofile of docker)'

/** What is wrong with the limit, and how to mend it; `undefined` where nothing is, or where the system does not tell. */
export function openFilesProblem(): { readonly found: string; readonly mend: string } | undefined {
  const limit = openFilesLimit()
  if (limit === 0) return { found: 'this process has all files open that it may open', mend: `close some, or ${MEND}` }
  if (limit < LEAST)
    return { found: `this process may open no more than ${limit} files; Wine needs ${LEAST}`, mend: MEND }
  const open = openFiles(limit)
  if (limit - open < NEEDED)
    return {
      found: `this process has ${open} files open of the ${limit} that it may; a session needs up to ${NEEDED} more`,
      mend: `close some, or ${MEND}`,
    }
  return undefined
}

function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch (error) {
    return isSpent(error) ? 0 : Number.POSITIVE_INFINITY
  }
}

function openFiles(limit: number): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch (error) {
    return isSpent(error) ? limit : 0
  }
}

const isSpent = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EMFILE'
