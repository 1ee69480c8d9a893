import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('work that no end of a thread interrupts')
const module = new URL('../../dist/src/channel/uninterrupted.js', import.meta.url).href

/** What a thread does, and what its program does then. `within` is the memory by which the thread tells that it has begun. */
function outcome({ thread, main }: { readonly thread: string; readonly main: string }) {
  const worker = `
    import { workerData, parentPort } from 'node:worker_threads'
    import { writeSync } from 'node:fs'
    import { uninterrupted } from ${JSON.stringify(module)}
    const busy = milliseconds => { for (const end = performance.now() + milliseconds; performance.now() < end; ); }
    ${thread}`
  const program = `
    import { Worker } from 'node:worker_threads'
    import { writeSync } from 'node:fs'
    import { untilNoneWithin } from ${JSON.stringify(module)}
    const thread = new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})))
    thread.once('message', async () => {
      ${main}
    })`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, stdout, stderr }
}

const within = `uninterrupted(() => {
  parentPort.postMessage('within')
  busy(300)
  writeSync(1, 'done ')
})
busy(60_000)`

test('who ends a thread waits for it', () => {
  const main = `await untilNoneWithin(); await thread.terminate(); writeSync(1, 'ended')`
  assert.equal(outcome({ thread: within, main }), { status: 0, stdout: 'done ended', stderr: '' })
})

test('who ends the program waits for it, and nobody begins any more', () => {
  const main = `process.once('exit', () => writeSync(1, 'exit')); process.exit(5)`
  assert.equal(outcome({ thread: within, main }), { status: 5, stdout: 'done exit', stderr: '' })
  const late = `parentPort.postMessage('go'); busy(300); uninterrupted(() => writeSync(1, 'begun'))`
  const closing = `process.once('exit', () => { for (const end = performance.now() + 600; performance.now() < end; ); }); process.exit(6)`
  assert.equal(outcome({ thread: late, main: closing }), { status: 6, stdout: '', stderr: '' })
})

test('a thread that was ended all the same holds up nobody for long', () => {
  const thread = `uninterrupted(() => { parentPort.postMessage('within'); busy(60_000) })`
  const main = `await thread.terminate(); await untilNoneWithin(); writeSync(1, 'over'); process.exit(7)`
  assert.equal(outcome({ thread, main }), { status: 7, stdout: 'over', stderr: '' })
})

test('an error leaves, too', () => {
  const thread = `try { uninterrupted(() => { throw new RangeError('x') }) } catch {} parentPort.postMessage('thrown'); busy(60_000)`
  const main = `
    const later = new Promise(resolve => setImmediate(resolve, 'later'))
    writeSync(1, await Promise.race([untilNoneWithin().then(() => 'at once'), later]))
    process.exit(0)`
  assert.equal(outcome({ thread, main }), { status: 0, stdout: 'at once', stderr: '' })
})

test.run()
