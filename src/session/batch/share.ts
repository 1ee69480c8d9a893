/** A session's share of a batch: what its chunks have in common, how many rows each has, and how many are under way at once. */
import type { Port, Sender } from '../../channel/exchange.js'
import { ROW_FAILURE_SIZE } from '../../codec/layout.js'
import { ZugbrueckeError } from '../../errors.js'
import type { DeclaredRoutine } from '../call/declared-routine.js'
import type { SessionCore } from '../core/core.js'
import type { Column } from './column.js'
import type { PlannedRows } from './plan.js'
import type { RowRange } from './row-cursor.js'

/** Rows of a chunk, at the most. Beside the calls of so many rows a wake-up takes little time. */
const CHUNK_ROWS = 131072
/**
 * Bytes that are copied for a chunk, at the most, so that a large batch has several: one is copied while another runs.
 */
const CHUNK_BYTES = 1 << 20
/** Chunks under way at once. */
const DEPTH = 4
/** The same for a batch that sessions share, where rows that one session has begun cannot go to another. */
const SHARED_DEPTH = 2
/**
 * Each session carries out its part of a shared batch in so many chunks, so that all sessions end at about the same
 * time.
 */
const PARTS = 16

/** What everything in a chunk is aligned to at the least, in bytes. */
const ALIGNED = 16

/** A session's share of a batch. */
export interface BatchShare {
  readonly plan: PlannedRows
  readonly declared: DeclaredRoutine
  /** The columns of all arguments on the wire, `out` parameters included. */
  readonly columns: readonly Column[]
  /** How many sessions have a share. */
  readonly sharers: number
  /** Whether other work waits for the session. Then the share takes no more rows. */
  readonly yields?: () => boolean
}

/** What all chunks of a share have in common. */
export class ShareState {
  /** The first error, which ends the share. */
  failure: Error | undefined
  /** The rows of each chunk under way, in the order in which the host carries them out. */
  readonly underway: RowRange[] = []
  /** How many chunks have ended. */
  ended = 0
  /** Bytes of the chunk that was tried last, if there was no room for them in the arena; otherwise 0. */
  lacking = 0
  /** What everything in a chunk is aligned to, in bytes. */
  readonly alignment: number
  /** Rows of a chunk, at the most. */
  readonly #limit: number
  /** The same while there is no room for so many. */
  #most: number

  constructor(
    readonly core: SessionCore,
    readonly share: BatchShare,
    arenaSize: number,
  ) {
    const { plan, columns } = share
    this.alignment = Math.max(ALIGNED, ...columns.map(({ alignment = ALIGNED }) => alignment))
    let copied = plan.lastErrors ? 4 : 0
    if (plan.results.address?.(core) === undefined) copied += plan.results.size
    for (const column of columns) copied += column.rowSize
    const { textCount, textLengths } = share.declared
    if (textCount > 0) copied += textLengths.rowSize(textCount)
    const fit = Math.floor(arenaSize / (DEPTH + 1) / (copied + ROW_FAILURE_SIZE))
    const quick = Math.floor(Math.min(CHUNK_ROWS, CHUNK_BYTES / Math.max(1, copied)))
    // a row that is larger than CHUNK_BYTES is a chunk of its own
    this.#limit = Math.max(1, Math.min(fit, plan.chunk ?? quick))
    this.#most = this.#limit
  }

  /** How many rows the next chunk should have. */
  get chunkRows(): number {
    const { plan, declared, sharers } = this.share
    if (plan.chunk !== undefined) return this.#most
    return declared.pace.rows(this.#most, sharers > 1 ? Math.ceil(plan.rows.total / sharers / PARTS) : undefined)
  }

  /** Notes the offset in the arena that a chunk of `size` bytes has got; below 0, there was no room. */
  tried(size: number, at: number): void {
    this.lacking = at < 0 ? size : 0
    if (at >= 0) this.#most = Math.min(this.#limit, 2 * this.#most)
  }

  /**
   * Makes chunks smaller if there was no room for the last one and nothing is under way that gives some back: objects may
   * have all but an eighth of the arena for as long as they live. False if the chunk has to wait. Throws ZugbrueckeError
   * if it would wait for ever.
   */
  shrinks(lane: Sender, port: Port): boolean {
    if (this.lacking === 0 || !(port.nested || lane.isIdle)) return false
    const rows = Math.min(this.chunkRows, this.share.plan.rows.left)
    if (rows > 1) {
      this.lacking = 0
      this.#most = rows >> 1
      return true
    }
    // calls of other threads give back what they have
    if (!port.nested && this.lacking < lane.arena.size / 8) return false
    throw new ZugbrueckeError(
      `${this.share.declared.label}: no shared memory is left for a row of the batch: free objects (session.memory.free), or start the session with a larger "memory"`,
    )
  }

  /** How many chunks may be under way at once. */
  get depth(): number {
    const { plan, declared, sharers } = this.share
    if (plan.chunk === undefined && declared.pace.isUnknown) return 1
    return sharers > 1 ? SHARED_DEPTH : DEPTH
  }
}
