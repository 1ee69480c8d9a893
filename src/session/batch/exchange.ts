/**
 * A session's share of a batch, as an exchange of its lane. It sends its rows in chunks, several of which are under way
 * at once, so that writing, calling and reading overlap. It stays at the head of the lane's queue until its last chunk
 * is sent, so that the batch keeps its place among calls.
 */
import type { Port, Sender } from '../../channel/exchange.js'
import { ControlWord } from '../../codec/layout.js'
import { AbortError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import { Chunk } from './chunk.js'
import { type BatchShare, ShareState } from './share.js'

/** A chunk that is not the last of its share. */
class InnerChunk extends Chunk {
  constructor(
    state: ShareState,
    private readonly isOver: () => void,
  ) {
    super(state)
  }
  override attempt(lane: Sender, port: Port): boolean {
    return this.sendRows(lane, port, this.state.chunkRows)
  }
  override fail(lane: Sender, error: Error): void {
    super.fail(lane, error)
    this.isOver()
  }
  protected override over(): void {
    this.isOver()
  }
}

/** The share in the lane's queue, and its last chunk. That has no rows where other sessions carry out the last ones. */
export class BatchExchange extends Chunk {
  /** How many inner chunks are under way. */
  #underway = 0
  #lent: ArrayBufferLike[] = []

  constructor(
    core: SessionCore,
    share: BatchShare,
    private readonly finished: (error: Error | undefined) => void,
  ) {
    super(new ShareState(core, share, core.lane.arena.size))
  }

  override attempt(lane: Sender, port: Port): boolean {
    const { state } = this
    const { share } = state
    if (this.#lent.length === 0 && !port.nested && this.#isLent(lane)) return false
    this.#lend(lane)
    for (;;) {
      if (this.#ends()) return false
      if (share.yields?.()) return this.sendRows(lane, port, 0)
      try {
        if (share.plan.rows.left <= state.chunkRows) {
          if (this.sendRows(lane, port, state.chunkRows)) return true
        } else if (this.#underway >= state.depth) return false
        else if (this.#sendInner(lane, port)) continue
        if (!state.shrinks(lane, port)) return false
      } catch (error) {
        // the batch has not come to its end before its chunks have
        state.failure ??= error as Error
      }
    }
  }

  #sendInner(lane: Sender, port: Port): boolean {
    const isSent = lane.sendFirst(new InnerChunk(this.state, () => this.#underway--), port)
    if (isSent) this.#underway++
    return isSent
  }

  override settle(lane: Sender, at: number): void {
    super.settle(lane, at)
    this.finished(this.state.failure)
  }

  override fail(lane: Sender, error: Error): void {
    super.fail(lane, error)
    this.over(lane)
    this.finished(this.state.failure)
  }

  /** A value that changes whenever a row ends, and all the time while no chunk is under way. */
  progress(): string {
    const { underway, ended } = this.state
    return underway.length === 0 ? `${performance.now()}` : `${ended}:${this.#rowInChunk()}`
  }

  /** The row that runs, if a chunk is under way: what the host says of it may be out of date. */
  currentRow(): number | undefined {
    const [range] = this.state.underway
    return range && range.first + this.#rowInChunk()
  }

  #rowInChunk(): number {
    return Atomics.load(this.state.core.mapping.i32, ControlWord.runningRow / 4)
  }

  /** Makes the batch fail with this error. */
  giveUp(error: Error): void {
    this.state.failure ??= error
  }

  /**
   * Whether the batch is to end early, because a chunk failed or its signal was aborted, and chunks are still under
   * way. Throws the error of the batch when none is any more.
   */
  #ends(): boolean {
    const { failure, share } = this.state
    const { signal, rows } = share.plan
    if (!failure && !signal?.aborted) return false
    if (this.#underway > 0) return true
    if (failure) throw failure
    throw new AbortError(
      `${this.label}: the batch was stopped by its signal after ${rows.done} of ${rows.total} rows`,
      {
        cause: signal?.reason,
      },
    )
  }

  #isLent(lane: Sender): boolean {
    return this.state.share.plan.buffers.some(buffer => lane.lent.has(buffer))
  }

  #lend(lane: Sender): void {
    if (this.#lent.length > 0) return
    this.#lent = this.state.share.plan.buffers.filter(buffer => !lane.lent.has(buffer))
    for (const buffer of this.#lent) lane.lent.add(buffer)
  }

  protected override over(lane: Sender): void {
    for (const buffer of this.#lent) lane.lent.delete(buffer)
    this.#lent = []
  }
}
