/**
 * Work within which a thread must not be ended. Where a thread is ended while koffi is being loaded or makes a view, koffi has an error to
 * throw, cannot throw it any more, and aborts the whole program (Node 20 to 26). So all threads of a program count themselves here
 * meanwhile, and who ends a thread of ours, or the program, waits for them. A thread of the user's that `terminate()` ends is not helped.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** Threads inherit this from the thread that starts them. */
const KEY = 'zugbruecke: threads within koffi'
/** Added when the program ends: nobody begins any more. */
const CLOSED = 1 << 30
/** Koffi takes some milliseconds; a thread that was ended all the same never leaves. In milliseconds. */
const PATIENCE = 1000

const within = countOfProgram()

function countOfProgram(): Int32Array {
  const inherited = getEnvironmentData(KEY) as unknown as Int32Array | undefined
  if (inherited) return inherited
  const count = new Int32Array(new SharedArrayBuffer(4))
  setEnvironmentData(KEY, count as never)
  return count
}

export function uninterrupted<T>(work: () => T): T {
  // nothing ends this one but itself
  if (isMainThread) return work()
  // the program is about to end, and this thread with it
  if (Atomics.add(within, 0, 1) >= CLOSED) leaveForEver()
  try {
    return work()
  } finally {
    leave()
  }
}

function leave(): void {
  Atomics.sub(within, 0, 1)
  Atomics.notify(within, 0)
}

function leaveForEver(): void {
  leave()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** Settles when no thread is within such work. Who must not begin any is to be told before. */
export async function untilNoneWithin(): Promise<void> {
  for (const end = performance.now() + PATIENCE; Atomics.load(within, 0) > 0 && performance.now() < end; )
    await sleep(1)
}

function close(): void {
  const end = performance.now() + PATIENCE
  Atomics.add(within, 0, CLOSED)
  for (let count = Atomics.load(within, 0); count > CLOSED; count = Atomics.load(within, 0))
    if (Atomics.wait(within, 0, count, Math.max(0, end - performance.now())) === 'timed-out') return
}

if (isMainThread) process.once('exit', close)
