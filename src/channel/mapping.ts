/**
 * One thread's view of a session's segment. Other sides write there at any time, and V8 trusts that nothing changes under its
 * builtins: so single values are read and written in place, whole ranges only by `set` and `slice`, and whatever decodes, sorts,
 * searches or compares gets a copy.
 */
import { ARENA_OFFSET } from '../codec/layout.js'
import { SessionTerminatedError } from '../errors.js'
import { forgetViewer, noteViewer } from './abandoned.js'
import { pageSizeOf } from './arena.js'
import { viewOf } from './libc.js'
import { replacePages, type Segment, unmap } from './segment.js'
import { type SharedState, SharedWord } from './shared.js'

/** Set in `SharedWord.views` once the session's end has replaced the pages: who gives up the last view unmaps them. */
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
 * Gives up the view of a thread that has let it go or has ended. The thread's finalizer and the supervisor may both
 * call this at the same time, and only one of them goes on: memory behind the segment is touched here, which is mapped
 * for certain only while a view is left.
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
 * To be called when the session has ended. Replaces the mapping by private pages with what stood in the arena, so that
 * objects keep their values: a view that is still held must touch neither unmapped memory, which would end Node, nor
 * another session's. The addresses are given back with the last view.
 */
export function endMapping(segment: Segment, state: SharedState): void {
  replacePages(segment, pagesInUse(segment, state))
  if (Atomics.or(state.i32, SharedWord.views, REPLACED) === 0) unmap(segment)
}

/** Claimed pages of the arena as ranges: offsets in the segment, and lengths. */
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
