/**
 * One thread's view of a session's segment. The Windows side and other threads write there at any time, while V8's
 * builtins rely on memory that does not change while they run. So single values are read and written in place, ranges
 * only by `set` and `slice`, and code that decodes, sorts, searches or compares gets a copy.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { SessionTerminatedError } from '../errors.js'
import { forgetViewer, noteViewer } from './abandoned.js'
import { pageSizeOf } from './arena.js'
import { viewOf } from './libc.js'
import { replacePages, type Segment, unmap } from './segment.js'
import { type SharedState, SharedWord } from './shared.js'

/**
 * Set in `SharedWord.views` once the session's end has replaced the pages: then the last view that is given up unmaps
 * them.
 */
const REPLACED = 1 << 31

const collected = new FinalizationRegistry<() => void>(forget => forget())

export class Mapping {
  readonly buffer: ArrayBuffer
  readonly i32: Int32Array
  readonly u8: Uint8Array
  readonly view: DataView

  /** Throws SessionTerminatedError if the session has ended meanwhile. */
  constructor(segment: Segment, state: SharedState, thread: number) {
    for (;;) {
      const views = Atomics.load(state.i32, SharedWord.views)
      if (views & REPLACED) throw new SessionTerminatedError('the session has ended: start a new one')
      if (Atomics.compareExchange(state.i32, SharedWord.views, views, views | (1 << thread)) === views) break
    }
    noteViewer(segment, thread)
    const buffer = viewOf(segment.address, segment.size)
    this.buffer = buffer
    collected.register(buffer, () => forgetView(segment, state, thread))
    this.i32 = new Int32Array(buffer)
    this.u8 = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }
}

/**
 * Gives up the view of a thread that no longer uses it or has ended. The thread's finalizer and the supervisor may both
 * call this at the same time; only one of them goes on. This writes to the page behind the segment, which is mapped for
 * certain only while a view is left.
 */
export function forgetView(segment: Segment, { i32 }: SharedState, thread: number): void {
  const view = 1 << thread
  if ((Atomics.or(i32, SharedWord.forgetting, view) & view) !== 0) return
  if ((Atomics.load(i32, SharedWord.views) & view) !== 0) {
    forgetViewer(segment, thread)
    if (Atomics.and(i32, SharedWord.views, ~view) === (REPLACED | view)) unmap(segment)
  }
  Atomics.and(i32, SharedWord.forgetting, ~view)
}

/**
 * To be called when the session has ended. Replaces the segment's pages by private ones with the contents of the arena,
 * so that objects keep their values. A view that is still held must reach neither unmapped memory, which would end
 * Node, nor memory of another session. So the addresses are given back only with the last view.
 */
export function endMapping(segment: Segment, state: SharedState): void {
  replacePages(segment, pagesInUse(segment, state))
  if (Atomics.or(state.i32, SharedWord.views, REPLACED) === 0) unmap(segment)
}

/** The claimed pages of the arena, as ranges: offsets in the segment, and lengths in bytes. */
function pagesInUse({ size }: Segment, { i32 }: SharedState): (readonly [at: number, length: number])[] {
  const pageSize = pageSizeOf(size - ARENA_OFFSET)
  const ranges: [number, number][] = []
  for (let page = 0; (page + 1) * pageSize <= size - ARENA_OFFSET; page++) {
    if (Atomics.load(i32, SharedWord.pages + page) <= 0) continue
    const at = ARENA_OFFSET + page * pageSize
    const last = ranges.at(-1)
    if (last && last[0] + last[1] === at) last[1] += pageSize
    else ranges.push([at, pageSize])
  }
  return ranges
}
