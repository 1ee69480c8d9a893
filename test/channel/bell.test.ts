import { spawn } from 'node:child_process'
import { readSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Bell, makeBell, ringBell } from '../../dist/src/channel/bell.js'
import { libc } from '../../dist/src/channel/libc.js'
import { startThread } from './start-thread.js'
import { target } from './support.js'

const test = suite('bell')

/** Rung by another thread after so many milliseconds. */
function ringLater(fd: number, milliseconds: number): Promise<unknown> {
  const thread = startThread('./ringer.ts', import.meta.url, { fd, milliseconds })
  return new Promise(resolve => thread.once('exit', resolve))
}

test('blocks until it is rung, by another thread', async () => {
  const fd = makeBell()
  const bell = new Bell(fd, () => {})
  const rung = ringLater(fd, 50)
  assert.ok(bell.wait(20_000))
  assert.not(bell.wait(1), 'what was rung is taken')
  await rung
  bell.close()
  libc().close(fd)
})

test('rings are remembered, many of them as one', () => {
  const fd = makeBell()
  const bell = new Bell(fd, () => {})
  for (let i = 0; i < 10; i++) ringBell(fd)
  assert.ok(bell.wait(1000))
  assert.not(bell.wait(1))
  bell.close()
  libc().close(fd)
})

test('a wait goes on behind a signal', async () => {
  const fd = makeBell()
  const bell = new Bell(fd, () => {})
  let heard = () => {}
  const hear = () => heard()
  const next = () =>
    new Promise<void>(resolve => {
      heard = resolve
    })
  process.on('SIGUSR2', hear)
  const sender = spawn('sh', ['-c', `while kill -USR2 ${process.pid} 2>/dev/null; do :; done`], { stdio: 'ignore' })
  try {
    await next()
    const from = performance.now()
    for (let i = 0; i < 10; i++) assert.not(bell.wait(100))
    assert.ok(performance.now() - from >= 1000)
    const rung = ringLater(fd, 50)
    assert.ok(bell.wait(20_000))
    await rung
    // they still come
    await next()
  } finally {
    sender.kill()
    await new Promise(resolve => sender.once('exit', resolve))
    process.off('SIGUSR2', hear)
    bell.close()
    libc().close(fd)
  }
})

test('is heard by the event loop, again and again', async () => {
  const fd = makeBell()
  let heard = 0
  let hear = () => {}
  const bell = new Bell(fd, () => {
    heard++
    hear()
  })
  const held = setInterval(() => {}, 1000)
  for (let i = 1; i <= 3; i++) {
    const once = new Promise<void>(resolve => {
      hear = resolve
    })
    ringBell(fd)
    await once
    assert.ok(heard >= i)
  }
  clearInterval(held)
  bell.close()
  libc().close(fd)
})

test('whoever rings one whose pipe is full does not block, and who sleeps on it wakes', () => {
  const fd = makeBell()
  const bell = new Bell(fd, () => {})
  for (let i = 0; i < 100_000; i++) ringBell(fd)
  let waits = 0
  while (bell.wait(1)) waits++
  assert.ok(waits > 100)
  ringBell(fd)
  assert.ok(bell.wait(1000))
  bell.close()
  libc().close(fd)
})

test('one that somebody else has drained is not waited for longer than was said', () => {
  const fd = makeBell()
  const bell = new Bell(fd, () => {})
  ringBell(fd)
  readSync(fd, new Uint8Array(64))
  assert.not(bell.wait(20))
  bell.close()
  libc().close(fd)
})

test('a thread that ends closes its own end alone, and once', async () => {
  const fd = makeBell()
  // the thread makes a bell, gives its end up, and stays until this one has the number
  const thread = startThread('./ringer.ts', import.meta.url, { fd, reopen: true })
  const own = await new Promise<number>(resolve => thread.once('message', resolve))
  const files: number[] = []
  while (!files.includes(own) && files.length < 50) files.push(libc().open('/dev/null', 0))
  assert.ok(files.includes(own), 'the number is free')
  const ended = new Promise(resolve => thread.once('exit', resolve))
  thread.postMessage('end')
  await ended
  for (const file of files) assert.is(target(file), '/dev/null', `${file} was closed under its owner`)
  for (const file of files) libc().close(file)
  assert.match(target(fd) ?? '', /pipe:/)
  libc().close(fd)
})

test.run()
