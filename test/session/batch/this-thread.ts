/** One thread's end of a session whose host is this very thread: it carries out what lies in the shared memory when it is told to. */
import * as assert from 'uvu/assert'
import { Arena } from '../../../dist/src/channel/arena.js'
import type { Exchange, Port, Sender } from '../../../dist/src/channel/exchange.js'
import { Mapping } from '../../../dist/src/channel/mapping.js'
import { createEncoder } from '../../../dist/src/codec/encoder.js'
import {
  Batch,
  MESSAGE,
  MESSAGE_IN_ARENA,
  REPLY_OFFSET,
  REQUEST_SIZE,
  Reply,
  ROW_FAILURE_SIZE,
  Status,
} from '../../../dist/src/codec/layout.js'
import { utf8 } from '../../../dist/src/ctypes/encoding.js'
import type { DeclaredRoutine } from '../../../dist/src/session/call/declared-routine.js'
import { Pace } from '../../../dist/src/session/call/pace.js'
import { TextLengths } from '../../../dist/src/session/call/text-room.js'
import type { SessionCore } from '../../../dist/src/session/core/core.js'
import type { Made } from '../../channel/support.js'

/** Where the segment lies in the Windows process. */
const BASE = 0x2_0000_0000
export const ACCESS_VIOLATION = 0xc0000005

/** What a row does: gets its arguments (of a pointer the offset in the segment) and gives its result, or the code of its exception. */
export type Row = (args: readonly number[], memory: DataView, row: number) => number | { readonly code: number }

/** A routine that the host knows by its number. */
export const declaredWork = () =>
  ({
    label: 'work',
    number: 3,
    textCount: 0,
    textLengths: new TextLengths(),
    pace: new Pace(),
    declareError: () => undefined,
  }) as unknown as DeclaredRoutine

/** One thread's end of a session, and the host. */
export class Session implements Sender, Port {
  readonly room = REQUEST_SIZE - MESSAGE
  readonly lent = new Set<ArrayBufferLike>()
  readonly mapping: Mapping
  readonly arena: Arena
  readonly core: SessionCore
  /** What has been sent and not been answered. */
  readonly sent: { readonly exchange: Exchange; readonly message: DataView; readonly inArena: boolean }[] = []
  #last: { message: DataView; inArena: boolean } | undefined

  constructor({ segment, state }: Made) {
    this.mapping = new Mapping(segment, state, 0)
    this.arena = new Arena(state, 0, segment)
    const facts = { base: BASE, pointerSize: 8, arch: 'win64' }
    const memory = { sessionId: 'this thread', read: () => assert.unreachable(), write: () => assert.unreachable() }
    this.core = {
      facts,
      memory,
      shared: state,
      mapping: this.mapping,
      builder: { encoder: createEncoder() },
      textEncoding: utf8,
      lane: { arena: this.arena },
    } as unknown as SessionCore
  }

  send(message: Int32Array, length: number, tag: number): boolean {
    const inArena = ((tag >>> 16) & MESSAGE_IN_ARENA) !== 0
    const bytes = inArena
      ? this.mapping.u8.slice(message[0], message[0] + length)
      : new Uint8Array(message.buffer, message.byteOffset, length).slice()
    this.#last = { message: new DataView(bytes.buffer), inArena }
    return true
  }

  sendFirst(exchange: Exchange): boolean {
    if (!exchange.attempt(this, this)) return false
    this.sent.push({ exchange, ...(this.#last as { message: DataView; inArena: boolean }) })
    return true
  }

  get isIdle(): boolean {
    return this.sent.length === 0
  }

  /** Rows of what has been sent, in order. */
  get rows(): number[] {
    return this.sent.map(({ message }) => message.getUint32(Batch.rows, true))
  }

  /** Carries out the first of what was sent, and gives its reply; `spoil` may change that. */
  answer(row: Row, spoil: (reply: (field: number, value: number) => void) => void = () => {}): void {
    const { exchange, message } = this.sent.shift() as (typeof this.sent)[number]
    const { view } = this.mapping
    const rows = message.getUint32(Batch.rows, true)
    const at = (field: number) => Number(message.getBigUint64(field, true)) - BASE
    let failed = 0
    for (let i = 0; i < rows; i++) {
      const args = Array.from({ length: message.getUint32(Batch.count, true) }, (_, k) => {
        const column = Batch.columns + k * Batch.columnSize
        const place = at(column) + i * message.getUint32(column + 8, true)
        return String.fromCharCode(message.getUint8(column + 16)) === 'i' ? view.getInt32(place, true) : place
      })
      const result = row(args, view, i)
      if (typeof result === 'number') {
        if (message.getUint32(Batch.resultStride, true) > 0) view.setInt32(at(Batch.results) + 4 * i, result, true)
        continue
      }
      const failure = at(Batch.errors) + failed++ * ROW_FAILURE_SIZE
      view.setUint32(failure, i, true)
      view.setUint32(failure + 4, result.code, true)
      view.setBigUint64(failure + 8, 0x10n, true)
    }
    const reply = (field: number, value: number) => view.setUint32(REPLY_OFFSET + field, value, true)
    reply(Reply.status, Status.done)
    reply(Reply.code, failed)
    reply(Reply.result, rows)
    spoil(reply)
    exchange.settle(this, REPLY_OFFSET, 0)
  }

  /** As a lane does: sends as far as there is room, and the host answers, until the batch has come to its end. */
  carryOut(batch: { readonly isOver: boolean; attempt(session: Session): boolean }, row: Row): void {
    while (!batch.isOver) {
      batch.attempt(this)
      if (!batch.isOver && this.sent.length > 0) this.answer(row)
    }
  }
}
