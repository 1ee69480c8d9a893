/** A program that a profiler looks at: it is sent a signal for each sample, whatever it does. */
import { Session as Inspector } from 'node:inspector/promises'
import * as assert from 'uvu/assert'
import { c_int, c_ulong } from 'zugbruecke'
import { sessionSuite } from '../support.js'

const test = sessionSuite('profiled programs', { timeout_stop: 2 })

test('routines that take longer than many samples', async ({ session }) => {
  const sleep = session.windll.kernel32.func('Sleep', [c_ulong], null)
  const abs = session.cdll.msvcrt.func('abs', [c_int], c_int)
  const inspector = new Inspector()
  inspector.connect()
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.setSamplingInterval', { interval: 100 })
  await inspector.post('Profiler.start')
  for (let i = 0; i < 5; i++) {
    sleep.sync(100)
    await sleep(100)
  }
  for (let i = 0; i < 20_000; i++) assert.is(abs.sync(-i), i)
  for (let i = 0; i < 20_000; i++) assert.is(await abs(-i), i)
  await inspector.post('Profiler.stop')
  inspector.disconnect()
})

test.run()
