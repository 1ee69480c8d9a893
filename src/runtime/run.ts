/** Runs a program of set-up to its end and gives what it wrote. Never used for sessions. */
import { spawn } from 'node:child_process'
import { SetupError } from '../errors.js'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly seconds: number
  readonly onLine?: (line: string) => void
  /** Called every half second while it runs. */
  readonly onTick?: () => void
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  /** Both streams, as they came: for messages. */
  readonly output: string
}

/** Resolves whatever the exit code; rejects with `SetupError` for a program that is missing or takes too long. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let output = ''
    let rest = ''
    const keep = (text: string) => {
      output = (output + text).slice(-100_000)
      const lines = (rest + text).split(/\r?\n|\r/)
      rest = lines.pop() ?? ''
      if (options.onLine) lines.forEach(options.onLine)
    }
    child.stdin.on('error', () => {})
    child.stdin.end()
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      keep(text)
    })
    child.stderr.setEncoding('utf8').on('data', keep)
    const tick = options.onTick && setInterval(options.onTick, 500)
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settle(() => reject(new SetupError(`${program} did not end within ${options.seconds} s.\n${tail(output)}`)))
    }, options.seconds * 1000)
    const settle = (how: () => void) => {
      clearTimeout(timer)
      clearInterval(tick)
      how()
    }
    child.once('error', cause =>
      settle(() => reject(new SetupError(`${program} could not be started: ${cause.message}`, { cause }))),
    )
    child.once('close', (code, signal) =>
      settle(() =>
        signal === null
          ? resolve({ code: code ?? 1, stdout, output })
          : reject(new SetupError(`${program} was ended by ${signal}.\n${tail(output)}`)),
      ),
    )
  })
}

/** The last lines of what a program wrote. */
export const tail = (output: string, lines = 12): string => output.trimEnd().split('\n').slice(-lines).join('\n')
