/**
 * What needs a program of its own: `first-call` (prints how long after its start it had the first answer), `memory N`
 * (private memory of N sessions, both sides), `idle SECONDS` (processor time of a session that does nothing) and `calls WAY SECONDS
 * DLL` (time of a call of add_int).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { ways } from '../ours/ways.mjs'

const [, , what, argument, seconds, dll] = process.argv
const { CtypesSession } = await import('zugbruecke')

async function open() {
  const session = await CtypesSession.start()
  await session.windll.kernel32.func('GetCurrentProcessId', [], session.types.c_ulong)()
  return session
}

/** Private memory in KiB. The segment counts for itself: what is used of the session's `memory` is its size. */
function privateKib(pid) {
  let total = 0
  let counted = true
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) counted = !line.includes('/memfd:zugbruecke')
    else if (counted && line.startsWith('Private_')) total += Number(line.split(/\s+/)[1])
  }
  return total
}

/** Processor time in ns of all threads of a process. */
function processorTime(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]),
    0,
  )
}

const modes = {
  async 'first-call'() {
    const session = await open()
    const us = (performance.timeOrigin + performance.now() - Number(argument)) * 1000
    await session.terminate()
    return { us }
  },
  async memory() {
    const count = Number(argument)
    await (await open()).terminate() // what the first one loads stays
    globalThis.gc?.()
    const before = privateKib('self')
    const sessions = []
    for (let i = 0; i < count; i++) sessions.push(await open())
    globalThis.gc?.()
    await sleep(500)
    const here = (privateKib('self') - before) / count
    const windows = sessions.map(session => privateKib(session.pid)).reduce((a, b) => a + b) / count
    await Promise.all(sessions.map(session => session.terminate()))
    return { here, windows }
  },
  async calls() {
    const session = await open()
    const add = (await session.cdll.LoadLibrary(dll)).func('int add_int(int a, int b)')
    const { value } = await ways(add)[argument](Number(seconds))
    await session.terminate()
    return { us: value }
  },
  async idle() {
    const session = await open()
    await sleep(1000)
    const before = [processorTime('self'), processorTime(session.pid)]
    const start = performance.now()
    await sleep(Number(argument) * 1000)
    const ns = (performance.now() - start) * 1e6
    const [here, windows] = [processorTime('self') - before[0], processorTime(session.pid) - before[1]].map(
      x => (x / ns) * 100,
    )
    await session.terminate()
    return { here, windows }
  },
}

console.log(JSON.stringify(await modes[what]()))
