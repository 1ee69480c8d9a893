import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { continuePrograms, endPrograms, MARK, markOf } from '../../src/channel/descendants.js'
import { processLives } from '../../src/channel/process.js'
import { until } from '../expect.js'

const test = suite('programs that a session has started')
const ALL = `${process.pid}.descendants.`
const started: ChildProcess[] = []

/** A program with the mark of a session, which seems to be called `name`; its process's number. */
function program(mark: string, name = 'sleep', command = 'sleep', args = ['600']): number {
  const env = { PATH: process.env.PATH, [MARK]: mark }
  const child = spawn(command, args, { argv0: name, env, stdio: ['pipe', 'ignore', 'ignore'] })
  started.push(child)
  return child.pid as number
}
const haveEnded = (pids: readonly number[]) => until(() => !pids.some(processLives), 'their end')
const stateOf = (pid: number) => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]

test.after.each(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

test('those of one session end, and no others', async () => {
  const own = [program(markOf(ALL, 1)), program(markOf(ALL, 1))]
  const others = [program(markOf(ALL, 2)), program(markOf(ALL, 11)), program(`0${markOf(ALL, 1)}`)]
  endPrograms(markOf(ALL, 1))
  await haveEnded(own)
  for (const pid of others) assert.ok(processLives(pid))
})

test('those of all sessions of a supervisor end, with what they have started themselves', async () => {
  const mark = markOf(ALL, 3)
  const shell = program(mark, 'sh', 'sh', ['-c', 'sleep 601 & sleep 602; :'])
  const own = () => readFileSync(`/proc/${shell}/task/${shell}/children`, 'latin1').trim().split(' ').filter(Boolean)
  await until(() => own().length === 2, 'the shell’s programs')
  const all = [shell, ...own().map(Number), program(markOf(ALL, 4))]
  endPrograms(ALL)
  await haveEnded(all)
})

test('what Wine has started for all stays', async () => {
  const mark = markOf(ALL, 5)
  const stays = [
    program(mark, 'C:\\windows\\system32\\services.exe'),
    program(mark, 'C:\\windows\\system32\\svchost.exe'),
    program(mark, '/usr/lib/wine/wineserver64'),
    // reads its input, and so goes on
    program(mark, 'explorer.exe', 'cat', ['/desktop', '-']),
  ]
  const goes = [program(mark, 'my-services.exe'), program(mark, 'C:\\windows\\explorer.exe')]
  endPrograms(mark)
  await haveEnded(goes)
  for (const pid of stays) assert.ok(processLives(pid))
})

test('what was stopped goes on', async () => {
  const mark = markOf(ALL, 6)
  const [own, other] = [program(mark), program(markOf(ALL, 7))]
  for (const pid of [own, other]) {
    process.kill(pid, 'SIGSTOP')
    await until(() => stateOf(pid) === 'T', 'a stopped process')
  }
  continuePrograms(mark)
  await until(() => stateOf(own) !== 'T', 'its going on')
  assert.is(stateOf(other), 'T')
})

test('where there is none nothing is done', () => {
  endPrograms(markOf(ALL, 8))
  continuePrograms(markOf(ALL, 8))
})

test.run()
