/**
 * Releases the memory of blocks that have become unreachable. V8 reports those only when the program pauses, and until
 * then each takes room in V8's own heap. So V8 is asked to collect once blocks have become many, and objects move to
 * shared memory no more where they fill V8's heap. The counts are of all sessions of a thread.
 */
import { getHeapStatistics } from 'node:v8'
import { collectGarbage } from './collector.js'

/** About how many bytes of V8's heap a block takes. */
const TAKES = 200
/** V8's heap is looked at each time that the count comes to a multiple of this. */
const STEP = 65_536
/**
 * V8 is asked to collect when the blocks that have been added since the last time take this share of the heap in use.
 */
const SHARE = 1 / 4
/**
 * The share of V8's heap for old objects from which on it counts as full, which is before V8 ends the program: that
 * happens at four fifths that cannot be freed. The limit that V8 reports includes the heap for new objects.
 */
const FULL = 2 / 3
const NEW_OBJECTS = 48 * 2 ** 20

interface Releasable {
  release(): void
}

const registry = new FinalizationRegistry<Releasable>(piece => piece.release())
let count = 0
/** The smallest count since V8 was last asked to collect. */
let fewest = 0
let isFull = false

/** Releases `piece` once `block` is unreachable. `piece` must not lead to `block`. */
export function releaseAfter(block: object, piece: Releasable): void {
  registry.register(block, piece)
}

/** Counts a block that was made. */
export function countTaken(): void {
  if (++count % STEP === 0) look()
}

/** Counts a block that was released. */
export function countReleased(): void {
  count--
  isFull = false
  if (count < fewest) fewest = count
}

/** Whether V8's heap has room for more blocks. */
export const hasRoom = (): boolean => !isFull

function look(): void {
  const { used_heap_size: used, heap_size_limit } = getHeapStatistics()
  const limit = Math.max(heap_size_limit - NEW_OBJECTS, heap_size_limit / 2)
  isFull = used > limit * FULL && count * TAKES > limit * SHARE
  if ((count - fewest) * TAKES < used * SHARE || count - fewest < STEP) return
  fewest = count
  collectGarbage()
}
