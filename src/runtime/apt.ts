/** Installs Debian packages where that is permitted, and otherwise says the command. */
import { SetupError } from '../errors.js'
import type { Progress } from './progress.js'
import { run, tail } from './run.js'

const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }

/** What goes before a command that needs root: nothing, `sudo -n`, or `undefined` where neither is possible. */
async function asRoot(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return []
  const sudo = await run('sudo', ['-n', 'true'], { seconds: 10 }).catch(() => undefined)
  return sudo?.code === 0 ? ['sudo', '-n'] : undefined
}

/** Whether this system is one of Debian's family. */
export const hasApt = async () =>
  (await run('apt-get', ['--version'], { seconds: 10 }).catch(() => undefined))?.code === 0

async function isOffered(packages: readonly string[]): Promise<boolean> {
  const { stdout } = await run('apt-cache', ['policy', ...packages], { seconds: 30, env: quiet })
  return (stdout.match(/^ {2}Candidate: (?!\(none\))/gm) ?? []).length === packages.length
}

/** `apt-get install`, with its own progress; `SetupError` with the exact command where it is not permitted or fails. */
export async function aptInstall(packages: readonly string[], why: string, progress: Progress): Promise<void> {
  const command = `sudo apt-get update && sudo apt-get install -y ${packages.join(' ')}`
  if (!(await hasApt()))
    throw new SetupError(`${why} is missing, and this system has no apt-get. Install it with your system's packages.`)
  const root = await asRoot()
  if (!root) throw new SetupError(`${why} is missing, and installing it needs root. Run: ${command}`)
  const apt = async (title: string, args: readonly string[]) => {
    const step = progress.step(title, 'steps')
    const [program, ...before] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
    const result = await run(program, [...before, '-q', '-o', 'APT::Status-Fd=1', ...args], {
      seconds: 900,
      env: quiet,
      onLine: line => {
        // dlstatus and pmstatus each count to 100: fetching, then installing.
        const status = /^(dl|pm)status:[^:]*:([\d.]+):/.exec(line)
        if (status) step.advance(Math.round(Number(status[2])) + (status[1] === 'pm' ? 100 : 0), 200)
      },
    })
    if (result.code !== 0) {
      step.end('failed')
      const said = result.output.replace(/^(dl|pm)status:.*\n/gm, '')
      throw new SetupError(
        `apt-get ${args.join(' ')} failed (exit code ${result.code}):\n${tail(said)}\nRun: ${command}`,
      )
    }
    step.end('done')
  }
  if (!(await isOffered(packages))) await apt('Package lists (apt-get update)', ['update'])
  const install = ['install', '-y', ...packages]
  try {
    await apt(`${why}: ${packages.join(', ')} (apt-get install)`, install)
  } catch {
    // Lists that are days old name files that the mirror no longer has.
    await apt('Package lists (apt-get update)', ['update'])
    await apt(`${why}: ${packages.join(', ')} (apt-get install)`, install)
  }
}
