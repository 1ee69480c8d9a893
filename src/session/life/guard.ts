/**
 * Ends what sessions leave behind where this program, or the thread that started them, is killed: a shell waits for the
 * end of a pipe. Hosts notice the end themselves and leave, unless they are stopped; programs that their DLLs have
 * started do not. The shell starts Node to end them only where something is left, which is rare.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { MARK } from '../../channel/descendants.js'

/** Seconds within which an idle host has left. */
const LEAVING = '0.3'
/**
 * $1 is the environment variable that marks a process of these sessions, $2 the mark, $3 Node, $4 what Node runs.
 * Nothing is ever written to the pipe, so that `read` waits for its end.
 */
const SCRIPT = `read -r never; sleep ${LEAVING}; grep -qsF "$1" /proc/[0-9]*/environ && exec "$3" "$4" "$2"`
const sweep = fileURLToPath(new URL('../../../workers/sweep.js', import.meta.url))

/**
 * Starts the shell for sessions whose marks begin with `mark`. Where there is no shell or no grep, nothing takes its
 * place.
 */
export function startGuard(mark: string): void {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'zugbruecke-guard', `${MARK}=${mark}`, mark, process.execPath, sweep], {
    // the pipe closes when this thread ends, however it ends
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
