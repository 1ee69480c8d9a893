/**
 * Blocks that give their memory back when nothing leads to them any more. V8 tells that at pauses of the program alone, and until then
 * each takes room in V8's own heap: so it is asked to look for them when they have become many, and no more are made where they fill it.
 * All sessions of a thread have these counts together.
 */
import { getHeapStatistics } from 'node:v8'
import { collectGarbage } from './collector.js'

/** What each takes in V8's heap, in bytes, about. */
const TAKES = 200
/** How many there may be more before the heap is looked at. */
const STEP = 65_536
/** V8 is asked to collect when those that are new may be so much of what it has. */
const SHARE = 1 / 4
/** V8 gives up when four fifths of its heap for what has lived for a while cannot be freed; the limit counts what is new as well. */
const FULL = 2 / 3
const NEW = 48 * 2 ** 20

interface Releasable {
  release(): void
}

const left = new FinalizationRegistry<Releasable>(piece => piece.release())
let count = 0
/** The fewest since V8 was asked. */
let fewest = 0
let isFull = false

/** `piece` is released when nothing leads to `block`. It must not lead there itself. */
export function releaseAfter(block: object, piece: Releasable): void {
  left.register(block, piece)
}

/** There is one more. */
export function countTaken(): void {
  if (++count % STEP === 0) look()
}

/** One has been released. */
export function countReleased(): void {
  count--
  isFull = false
  if (count < fewest) fewest = count
}

/** Whether V8's heap has room for more. */
export const hasRoom = (): boolean => !isFull

function look(): void {
  const { used_heap_size: used, heap_size_limit } = getHeapStatistics()
  const limit = Math.max(heap_size_limit - NEW, heap_size_limit / 2)
  isFull = used > limit * FULL && count * TAKES > limit * SHARE
  if ((count - fewest) * TAKES < used * SHARE || count - fewest < STEP) return
  fewest = count
  collectGarbage()
}
