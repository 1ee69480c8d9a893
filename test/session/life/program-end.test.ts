// long: each test starts programs, and waits for their sessions to go
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { suiteAtOnce } from '../../at-once.js'
import { dll, full, lives, running, sleep, startsProgram, until } from '../support.js'

// a program mostly waits, for Wine to start it and for its session to go
const test = suiteAtOnce('how programs end', 3)

const head = `
  import { CtypesSession, c_int } from 'zugbruecke'
  const session = await CtypesSession.start()
  const faults = session.CDLL(${JSON.stringify(dll('faults'))})
  const hang = faults.func('hang', [c_int], c_int)
  console.log('pid', session.pid)
`

interface Program {
  readonly pid: number
  readonly sessions: number[]
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; output: string }>
  kill(signal: NodeJS.Signals): void
}

async function program(body: string, before = head): Promise<Program> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', before + body], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const take = (text: string) => {
    output += text
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  let over = false
  const ended = new Promise<Awaited<Program['ended']>>(resolve => {
    child.once('exit', (code, signal) => {
      over = true
      // what a Windows process inherited must not hold this back
      setTimeout(() => resolve({ code, signal, output }), 50)
    })
  })
  await until(() => over || /ready|pid/.test(output), 'the program starts', 30)
  const sessions = [...output.matchAll(/pid (\d+)/g)].map(match => Number(match[1]))
  return { pid: child.pid as number, sessions, ended, kill: signal => void child.kill(signal) }
}

/** The program's sessions are gone two seconds after it. */
async function leftNothing({ sessions, pid }: Program): Promise<void> {
  assert.ok(sessions.length > 0, 'it had a session')
  await until(() => !sessions.some(lives), 'the Windows process leaves', 2)
  assert.equal(
    readdirSync('/dev/shm').filter(name => name.startsWith(`zugbruecke-${pid}-`)),
    [],
  )
}

test('by falling off the end, with an idle session', async () => {
  const ran = await program(`console.log(await faults.add(1, 2), 'done')`)
  const { code, output } = await ran.ended
  assert.is(code, 0)
  assert.match(output, '3 done')
  await leftNothing(ran)
})

test('a pending call keeps it alive until it has settled', async () => {
  const ran = await program(`hang(700).then(value => console.log('returned', value))`)
  const { code, output } = await ran.ended
  assert.is(code, 0)
  assert.match(output, 'returned 700')
  await leftNothing(ran)
})

test('a start that is pending keeps it alive, too', async () => {
  const ran = await program(
    `import { CtypesSession } from 'zugbruecke'
    new CtypesSession().ready.then(session => console.log('pid', session.pid))`,
    '',
  )
  assert.is((await ran.ended).code, 0)
  await leftNothing(ran)
})

for (const [when, body] of [
  ['idle', 'process.exit(7)'],
  ['in a call', 'hang(60_000); setTimeout(() => process.exit(7), 100)'],
  ['in the middle of calls', 'for (let i = 0; i < 5000; i++) faults.add(i, 1); process.exit(7)'],
])
  test(`by process.exit, ${when}`, async () => {
    const ran = await program(body)
    assert.is((await ran.ended).code, 7)
    await leftNothing(ran)
  })

for (const [how, body, word] of [
  ['an uncaught error', `throw new Error('boom')`, 'boom'],
  ['an uncaught error during a call', `setTimeout(() => { throw new Error('boom') }, 50); hang(60_000)`, 'boom'],
  ['an unhandled rejection', `faults.no_such_routine()`, 'RoutineNotFoundError'],
])
  test(`by ${how}`, async () => {
    const ran = await program(body)
    const { code, output } = await ran.ended
    assert.is(code, 1)
    assert.match(output, word)
    await leftNothing(ran)
  })

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  for (const [when, body] of [
    ['idle', 'setInterval(() => {}, 1000)'],
    ['in an awaited call', 'hang(60_000)'],
    ['in a blocking call', `setTimeout(() => hang.sync(60_000), 10)`],
  ])
    test(`by ${signal}, ${when}`, async () => {
      const ran = await program(body)
      await sleep(60)
      ran.kill(signal)
      assert.is((await ran.ended).signal, signal)
      await leftNothing(ran)
    })

const busy = ['setInterval(() => {}, 1000)', 'hang(60_000)', 'setInterval(() => faults.add.sync(1, 2), 0)']
for (let i = 0; i < (full ? 20 : 5); i++)
  test(`by SIGKILL, after ${20 * i} ms`, async () => {
    const ran = await program(busy[i % busy.length])
    await sleep(20 * i)
    ran.kill('SIGKILL')
    assert.is((await ran.ended).signal, 'SIGKILL')
    await leftNothing(ran)
  })

test('by SIGKILL, while the Windows process is stopped', async () => {
  const ran = await program('setInterval(() => {}, 1000)')
  for (const pid of ran.sessions) process.kill(pid, 'SIGSTOP')
  ran.kill('SIGKILL')
  await ran.ended
  await leftNothing(ran)
})

// it ends when it is told to: not before that of the DLL has been seen
for (const [how, last] of [
  ['by SIGKILL', ''],
  ['by falling off the end', ''],
  ['by process.exit', 'process.exit(0)'],
] as const)
  test(`${how}: a program that a DLL has started ends, too`, async () => {
    const ran = await program(
      `${startsProgram(`'zbend' + process.pid`)}
       const held = setInterval(() => {}, 1000)
       process.once('SIGUSR2', () => { clearInterval(held); ${last} })`,
    )
    await until(() => running(`zbend${ran.pid}`).length > 0, 'the program begins')
    ran.kill(how === 'by SIGKILL' ? 'SIGKILL' : 'SIGUSR2')
    await ran.ended
    await leftNothing(ran)
    await until(() => running(`zbend${ran.pid}`).length === 0, 'the program that the DLL started ends', 5)
  })

test('by SIGKILL: the guard leaves as well', async () => {
  const ran = await program('setInterval(() => {}, 1000)')
  const isChild = (pid: string) =>
    new RegExp(`^PPid:\\s+${ran.pid}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  const guards = running('zugbruecke-guard').filter(isChild)
  assert.is(guards.length, 1)
  ran.kill('SIGKILL')
  await ran.ended
  await until(() => !lives(Number(guards[0])), 'it leaves')
})

for (const [name, what] of [
  ['hang-loading', 'in the middle of loading a DLL that never ends with it'],
  ['hang-leaving', 'with a DLL whose clean-up never ends'],
] as const)
  test(`by SIGKILL, ${what}`, async () => {
    const ran = await program(
      `const one = session.CDLL(${JSON.stringify(dll(name))}).one()
      if (${name === 'hang-leaving'}) await one
      setInterval(() => {}, 1000)`,
    )
    await sleep(200)
    ran.kill('SIGKILL')
    await ran.ended
    await leftNothing(ran)
  })

test('several sessions of one program all end with it', async () => {
  const ran = await program(
    `import { CtypesSession } from 'zugbruecke'
    const all = await Promise.all([1, 2, 3].map(() => CtypesSession.start()))
    console.log(all.map(({ pid }) => 'pid ' + pid).join('\\n') + ' ready')`,
    '',
  )
  assert.is(ran.sessions.length, 3)
  assert.is((await ran.ended).code, 0)
  await leftNothing(ran)
})

test('after a terminate nothing keeps it alive', async () => {
  const ran = await program(`await faults.add(1, 2); await session.terminate(); console.log('over')`)
  const { code, output } = await ran.ended
  assert.is(code, 0)
  assert.match(output, 'over')
  await leftNothing(ran)
})

test('importing the package starts nothing', async () => {
  const ran = await program(`import 'zugbruecke'; console.log('ready', process.getActiveResourcesInfo().length)`, '')
  const { code } = await ran.ended
  assert.is(code, 0)
})

test.run()
