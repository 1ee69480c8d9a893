import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CORES, Patience } from '../../dist/src/channel/patience.js'
import { halfACore } from '../half-a-core.js'
import { startThread } from './start-thread.js'

const test = suite('patience')

test('there is some of at least a part of a core, and no more than the machine has', async () => {
  const { availableParallelism } = await import('node:os')
  assert.ok(CORES >= 0.1 && CORES <= availableParallelism())
})

// needs root, and groups with a processor's share
const groups = await halfACore(async () => '').catch((error: Error) => error.message)
const ofGroups = groups === '' ? test : test.skip
if (groups !== '') console.log(groups)

ofGroups('in a group with a quota of half a core there is half a core', async () => {
  const module = new URL('../../dist/src/channel/patience.js', import.meta.url)
  const program = `process.stdin.once('data', async () => console.log((await import('${module}')).CORES))`
  const printed = await halfACore(async put => {
    const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    put(child.pid as number)
    child.stdin.end('go')
    const [[data]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])
    return String(data)
  })
  assert.is(printed, '0.5\n')
})

test('what is there is seen at once, be it the one word or the other', () => {
  const i32 = new Int32Array(new SharedArrayBuffer(16))
  const patience = new Patience()
  i32[1] = 7
  assert.ok(patience.look(i32, 1, 7, 2, true))
  i32[1] = 6
  i32[2] = 1
  assert.ok(patience.look(i32, 1, 7, 2, true))
})

test('what does not come is given up, however often it is looked for, and what comes then is seen', async () => {
  const i32 = new Int32Array(new SharedArrayBuffer(16))
  const patience = new Patience()
  for (let i = 0; i < 200; i++) assert.not(patience.look(i32, 0, 1, 1, true))
  const thread = startThread('./setter.ts', import.meta.url, { i32 })
  // looked for again and again, it is met while this thread looks or before it does
  while (!patience.look(i32, 0, 1, 1, true));
  assert.is(i32[0], 1)
  await thread.terminate()
})

test('it tells whether this thread yielded its core in the last look', () => {
  const i32 = new Int32Array(new SharedArrayBuffer(16))
  const patience = new Patience()
  let yielded = 0
  for (let i = 0; i < 200; i++) {
    patience.look(i32, 0, 1, 1, true)
    if (patience.yielded) yielded++
  }
  // with one core to use there are short looks alone
  assert.is(yielded > 0, CORES >= 2)
  i32[0] = 1
  assert.ok(patience.look(i32, 0, 1, 1, true))
  assert.not(patience.yielded)
})

test('a number that runs over is a number like any other', () => {
  const i32 = new Int32Array(new SharedArrayBuffer(16))
  const patience = new Patience()
  i32[0] = 0x7fffffff
  assert.not(patience.look(i32, 0, (0x7fffffff + 1) | 0, 1, true))
  i32[0] = -0x80000000
  assert.ok(patience.look(i32, 0, (0x7fffffff + 1) | 0, 1, true))
})

test.run()
