/** What the suites that use real sessions share. */
import { readdirSync, readFileSync } from 'node:fs'
import { type Callback, suite, type Test } from 'uvu'
import { type Config, CtypesSession } from 'zugbruecke'
import { dll } from '../dlls/build.js'

export { rejects, sleep, throws, until } from '../expect.js'
export { dll }

export const full = process.env.ZB_FULL === '1'

export interface WithSession {
  session: CtypesSession
}

/** A suite whose tests share one session. */
export function sessionSuite(name: string, config: Partial<Config> = {}): Test<WithSession> {
  const test = suite<WithSession>(name)
  const { before } = test
  // the runner counts all tests as failed if this throws, and does not say why
  test.before = Object.assign(
    (hook: Hook) =>
      before(async context => {
        try {
          await hook(context)
        } catch (error) {
          console.error(error)
          throw error
        }
      }),
    { each: before.each },
  )
  test.before(async context => {
    context.session = await CtypesSession.start(config)
  })
  test.after(async ({ session }) => {
    await session?.terminate()
  })
  return test
}

type Hook = Callback<WithSession>
/** Other processes by a word of their command. */
export const running = (word: string): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word)
      } catch {
        return false
      }
    })

/** Whether any thread of a process runs: its first may be over while others go on. */
export const lives = (pid: number): boolean => {
  try {
    return readdirSync(`/proc/${pid}/task`).some(
      // a zombie is gone, only not yet counted
      thread => !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    )
  } catch {
    return false
  }
}

/** Lines that have a DLL of a program's `session` start one that runs for long, whose command has a word. */
export const startsProgram = (word: string): string => `
  await (async () => {
    const create = session.windll.kernel32.func(
      'int CreateProcessA(const char *, char *, void *, void *, int, unsigned, void *, const char *, void *, void *)',
    )
    const info = new Uint8Array(session.arch === 'win64' ? 104 : 68)
    info[0] = info.length
    const command = 'Z:/bin/sh -c "exec 0</dev/null; : ' + ${word} + '; sleep 600; : again"'
    await create(null, Buffer.from(command + String.fromCharCode(0)), null, null, 0, 0, null, null, info, new Uint8Array(24))
  })()
`
