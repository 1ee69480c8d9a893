/**
 * Who sees that this program has been killed, or the thread of it that started sessions: a shell that waits for the end of a pipe.
 * Hosts hear of it themselves and leave, unless they are stopped; what their DLLs have started does not. Node is started for that only
 * where something is left: most programs end with nothing but their sessions' hosts.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MARK } from '../../channel/descendants.js'

/** By then a host that is idle has left. */
const LEAVING = '0.3'
/** $1 is the mark's entry, $2 the mark, $3 Node, $4 what it is to run. Nothing is ever written to the pipe. */
const SCRIPT = `read -r never; sleep ${LEAVING}; grep -qsF "$1" /proc/[0-9]*/environ && exec "$3" "$4" "$2"`
const sweep = fileURLToPath(new URL('../../../workers/sweep.js', import.meta.url))

/** Starts it, for the sessions whose marks begin so. Where there is no shell or no grep, nobody does its work. */
export function startGuard(mark: string): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'zugbruecke-guard', `${MARK}=${mark}`, mark, process.execPath, sweep], {
    // closed by whatever ends this thread
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    detached: true,
  })
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  child.unref()
  ;(child.stdin as unknown as { unref(): void } | undefined)?.unref()
}
