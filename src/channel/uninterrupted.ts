/**
 * Work within which a thread must not be ended: if a thread ends while koffi is being loaded or makes a view, koffi
 * has an error to throw, cannot throw it any more, and aborts the whole program (Node 20 to 26). So each thread counts
 * itself while it does such work, and what ends a thread of ours, or the program, waits until the count is zero. A
 * thread of the user's that is ended by `terminate()` is not protected.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** Threads inherit this from the thread that starts them. */
const KEY = 'zugbruecke: threads within koffi'
/** Added when the program ends: nobody begins any more. */
const CLOSED = 1 << 30
/**
 * How long to wait at the most, in milliseconds: koffi takes some; a thread that was ended all the same is never done.
 */
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
  // nothing ends the main thread but itself
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

/** Settles when no thread is within such work. A thread that is not to begin any must have been told before. */
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
