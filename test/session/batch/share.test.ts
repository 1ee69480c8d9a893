/** A session's share of a batch: how many rows its chunks have, and how many chunks are under way at once. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Port, Sender } from '../../../src/channel/exchange.js'
import { ROW_FAILURE_SIZE } from '../../../src/codec/layout.js'
import { type Column, sameColumn } from '../../../src/session/batch/column.js'
import type { PlannedRows } from '../../../src/session/batch/plan.js'
import { RowCursor } from '../../../src/session/batch/row-cursor.js'
import { ShareState } from '../../../src/session/batch/share.js'
import type { DeclaredRoutine } from '../../../src/session/call/declared-routine.js'
import { Pace } from '../../../src/session/call/pace.js'
import { TextLengths } from '../../../src/session/call/text-room.js'
import type { SessionCore } from '../../../src/session/core/core.js'

const test = suite('share of a batch')
const LARGE = 1 << 30
const core = {} as SessionCore

interface Given {
  readonly total?: number
  readonly chunk?: number
  /** Bytes of a row's result, and whether the Windows side writes it where it belongs. */
  readonly result?: number
  readonly isDirect?: boolean
  readonly lastErrors?: boolean
  readonly rowSizes?: readonly number[]
  readonly textCount?: number
  readonly sharers?: number
  readonly arena?: number
}

function shareOf(given: Given, pace = new Pace()): ShareState {
  const { total = 1_000_000, chunk, result = 0, isDirect, lastErrors, rowSizes = [], textCount = 0 } = given
  const plan = {
    rows: new RowCursor(total),
    chunk,
    lastErrors: lastErrors ? new Uint32Array(0) : undefined,
    results: { size: result, address: () => (isDirect ? 0x1000 : undefined) },
  } as unknown as PlannedRows
  const columns = rowSizes.map((rowSize): Column => ({ ...sameColumn(new Uint8Array(0), 'i', 4), rowSize }))
  const declared = { pace, textCount, textLengths: new TextLengths() } as unknown as DeclaredRoutine
  return new ShareState(core, { plan, declared, columns, sharers: given.sharers ?? 1 }, given.arena ?? LARGE)
}

/** A pace at which rows take no time to speak of. */
function quick(): Pace {
  const pace = new Pace()
  pace.came(1_000_000_000, performance.now())
  return pace
}

test('where nothing is copied a chunk has 131,072 rows, else as many as take a MiB', () => {
  assert.is(shareOf({}, quick()).chunkRows, 131_072)
  assert.is(shareOf({ result: 4, isDirect: true }, quick()).chunkRows, 131_072)
  assert.is(shareOf({ result: 16 }, quick()).chunkRows, 65_536)
  assert.is(shareOf({ result: 8, rowSizes: [8, 12], lastErrors: true }, quick()).chunkRows, 32_768)
  assert.is(shareOf({ rowSizes: [1 << 20] }, quick()).chunkRows, 1)
  assert.is(shareOf({ rowSizes: [5 << 20] }, quick()).chunkRows, 1)
  assert.ok(shareOf({ textCount: 1 }, quick()).chunkRows < 131_072)
})

test('five chunks, with the failures of all their rows, find room in the arena', () => {
  const state = shareOf({ rowSizes: [100], arena: 1 << 20 }, quick())
  const bytes = state.chunkRows * (100 + ROW_FAILURE_SIZE)
  assert.ok(5 * bytes <= 1 << 20)
  assert.ok(5 * (bytes + 100 + ROW_FAILURE_SIZE) > 1 << 20)
  // the caller's number holds only where it fits
  assert.is(shareOf({ rowSizes: [100], arena: 1 << 20, chunk: 1_000_000 }).chunkRows, state.chunkRows)
})

test('the first chunk of a routine shows what a row takes, and goes alone', () => {
  const pace = new Pace()
  const state = shareOf({}, pace)
  assert.equal([state.chunkRows, state.depth], [512, 1])
  pace.came(1_000_000, performance.now())
  assert.is(state.depth, 4)
  assert.is(state.chunkRows, 131_072)
})

test('chunks of as many rows as the caller says are four at a time from the start', () => {
  const state = shareOf({ chunk: 10 })
  assert.equal([state.chunkRows, state.depth], [10, 4])
})

test('of a batch that sessions share a chunk is a sixteenth of a fair part, and two are under way', () => {
  const slow = new Pace()
  slow.came(1000, performance.now() - 1)
  const state = shareOf({ total: 64_000, sharers: 4 }, slow)
  assert.is(state.chunkRows, 1000)
  assert.is(state.depth, 2)
  assert.is(shareOf({ total: 64_000, sharers: 4, chunk: 7 }).depth, 2)
})

test('chunks shrink where there is no room and nothing is under way, and grow again', () => {
  const state = shareOf({ rowSizes: [1 << 10] }, quick())
  const idle = { isIdle: true, arena: { size: LARGE } } as unknown as Sender
  const busy = { ...idle, isIdle: false } as unknown as Sender
  const ring = {} as Port
  const callback = { nested: true } as Port
  const all = state.chunkRows
  assert.not.ok(state.shrinks(idle, ring), 'there was room')
  state.tried(1000, -1)
  assert.not.ok(state.shrinks(busy, ring), 'what is under way gives some back')
  assert.ok(state.shrinks(idle, ring))
  assert.is(state.chunkRows, all >> 1)
  assert.not.ok(state.shrinks(idle, ring), 'that has not been tried yet')
  state.tried(500, 64)
  assert.is(state.chunkRows, all)
  for (;;) {
    state.tried(1000, -1)
    if (state.chunkRows === 1) break
    assert.ok(state.shrinks(busy, callback))
  }
  assert.not.ok(state.shrinks(idle, ring), 'other threads may give back so little')
  assert.throws(() => state.shrinks(idle, callback), /no shared memory is left for a row/)
  state.tried(LARGE, -1)
  assert.throws(() => state.shrinks(idle, ring), /no shared memory is left for a row/)
})

test.run()
