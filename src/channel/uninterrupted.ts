/**
 * Work during which a thread must not be ended. If a thread ends while it loads koffi, or while koffi makes a view,
 * koffi cannot throw the error that it has, and aborts the whole program (Node 20 to 26). So a thread adds itself to a
 * count while it does such work, and code that ends a thread of this library, or the program, waits until the count is
 * zero. A thread of the user's that is ended by `terminate()` is not protected.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/** Threads inherit this from the thread that starts them. */
const KEY = 'zugbruecke: threads within koffi'
/** Added to the count when the program ends: from then on no thread begins such work. */
const CLOSED = 1 << 30
/**
 * Milliseconds to wait at the most. Koffi needs only some, but a thread that was ended within stays in the count.
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

/** Does such work. */
export function uninterrupted<T>(work: () => T): T {
  // only the main thread itself can end it
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

/** Resolves when no thread does such work. The caller has to see to it that the thread to be ended begins no more. */
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
