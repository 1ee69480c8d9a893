/**
 * For debugging: writes each message of the channel as a line to stderr, where the program runs with
 * NODE_DEBUG=zugbruecke. Otherwise no message passes through this code.
 */
import { debuglog } from 'node:util'
import { ByteBuffer } from 'flatbuffers'
import { decodeOutcome } from '../codec/control.js'
import { Control } from '../codec/generated/control.js'
import {
  Batch,
  Call,
  Callback as CallbackMessage,
  Kind,
  MESSAGE_IN_ARENA,
  Op,
  Reply,
  Return,
  Status,
} from '../codec/layout.js'
import type { Mapping } from './mapping.js'
import { Ring } from './ring.js'
import { type SharedState, SharedWord } from './shared.js'

const line = debuglog('zugbruecke')

/** The trace of a thread; undefined unless NODE_DEBUG names this library. */
export const traceOf = (mapping: Mapping, state: SharedState, thread: number): Trace | undefined =>
  line.enabled ? new Trace(mapping, state, thread) : undefined

export class Trace {
  constructor(
    private readonly mapping: Mapping,
    private readonly state: SharedState,
    private readonly thread: number,
  ) {}

  /** Writes a message that this thread has sent. `place` names the ring, with the request's number, or a strand. */
  sent(place: string, message: Int32Array, length: number, tag: number): void {
    const bytes = new Uint8Array(length)
    const { u8 } = this.mapping
    if ((tag >> 16) & MESSAGE_IN_ARENA) bytes.set(u8.subarray(message[0], message[0] + length))
    else bytes.set(new Uint8Array(message.buffer, message.byteOffset, Math.min(length, message.byteLength)))
    this.#write('->', place, tag & 0xff, bytes)
  }

  /** Writes a message that has come for this thread, at an offset in the segment. */
  came(place: string, at: number, length: number, kind: number): void {
    this.#write('<-', place, kind, this.mapping.u8.slice(at, at + length))
  }

  #write(way: string, place: string, kind: number, bytes: Uint8Array): void {
    const pid = Atomics.load(this.state.i32, SharedWord.process)
    const at = performance.now().toFixed(3)
    line('%s ms, session %d, thread %d %s %s: %s', at, pid, this.thread, way, place, words(kind, bytes))
  }
}

/** A ring that writes its messages to the trace. */
export class TracedRing extends Ring {
  constructor(
    private readonly trace: Trace,
    ...given: ConstructorParameters<typeof Ring>
  ) {
    super(...given)
  }

  override send(message: Int32Array, length: number, tag: number): boolean {
    const sent = super.send(message, length, tag)
    if (sent) this.trace.sent(`ring ${this.asked}`, message, length, tag)
    return sent
  }

  override take(): number {
    const at = super.take()
    this.trace.came(`ring ${this.taken}`, at, Reply.size, Kind.reply)
    return at
  }
}

const nameIn = (names: { readonly [name: string]: number }, number: number): string =>
  Object.keys(names).find(name => names[name] === number) ?? `number ${number}`

/** A message in words: its kind and its main contents. */
export function words(kind: number, bytes: Uint8Array): string {
  try {
    return `${nameIn(Kind, kind)} ${contents(kind, bytes)}`
  } catch {
    return `${nameIn(Kind, kind)} of ${bytes.length} bytes, which cannot be read`
  }
}

function contents(kind: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (at: number) => view.getUint32(at, true)
  const bits = (at: number, count: number) =>
    Array.from({ length: count }, (_, i) => `0x${view.getBigUint64(at + 8 * i, true).toString(16)}`).join(', ')
  switch (kind) {
    case Kind.call:
      return `routine ${u32(Call.routine)} (${bits(Call.arguments, u32(Call.count))})`
    case Kind.batch:
      return `routine ${u32(Batch.routine)}, ${u32(Batch.rows)} rows`
    case Kind.control: {
      const control = Control.getRootAsControl(new ByteBuffer(bytes))
      const numbers = Array.from({ length: control.numbersLength() }, (_, i) => control.numbers(i))
      const texts = Array.from({ length: control.textsLength() }, (_, i) => JSON.stringify(control.texts(i)))
      return [nameIn(Op, control.op()), ...numbers, ...texts].join(' ')
    }
    case Kind.callback:
      return `${u32(CallbackMessage.callback)} (${bits(CallbackMessage.arguments, u32(CallbackMessage.count))})`
    case Kind.return:
      return bits(Return.result, 1)
    case Kind.reply: {
      const [status, code] = [u32(Reply.status), u32(Reply.code)]
      return `${nameIn(Status, status)}, code ${code}, result ${bits(Reply.result, 1)}`
    }
    default: {
      const { ok, numbers, texts } = decodeOutcome(bytes)
      return [ok ? 'ok' : 'failed', ...numbers, ...texts.map(text => JSON.stringify(text))].join(' ')
    }
  }
}
