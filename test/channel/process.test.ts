import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isTraced, mayChangeCore, processLives } from '../../src/channel/process.js'
import { until } from '../expect.js'

const test = suite('processes from outside')
/** Above what Linux ever gives out. */
const NOBODY = 2 ** 22 + 1
const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)

test('one that has ended and that nobody has asked for its exit code does not live', () => {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' })
  const pid = child.pid as number
  assert.ok(processLives(pid))
  child.kill('SIGKILL')
  // without the event loop Node does not ask
  for (let i = 0; i < 5000 && processLives(pid); i++) pause()
  assert.not.ok(processLives(pid))
  assert.ok(existsSync(`/proc/${pid}`), 'it is a zombie')
})

test('one that is called like the end of a state lives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zb-process-'))
  const path = join(folder, 'a) Z (b')
  copyFileSync('/bin/sleep', path)
  const child = spawn(path, ['600'], { stdio: 'ignore' })
  const pid = child.pid as number
  assert.ok(processLives(pid))
  child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

test('whether somebody has pinned it', async () => {
  const cpu = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] as string
  const child = spawn('taskset', ['-c', cpu, 'sleep', '600'], { stdio: 'ignore' })
  const pid = child.pid as number
  await until(() => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sleep\n', 'its program')
  assert.not.ok(mayChangeCore(pid))
  assert.is(mayChangeCore(process.pid), /^Cpus_allowed_list:.*[-,]/m.test(readFileSync('/proc/self/status', 'latin1')))
  child.kill('SIGKILL')
})

test('nobody holds this one, and of one that is not there all is false', () => {
  assert.not.ok(isTraced(process.pid))
  assert.ok(processLives(process.pid))
  for (const look of [processLives, mayChangeCore, isTraced]) assert.not.ok(look(NOBODY))
})

test.run()
