/**
 * What it costs to write a call: the WebAssembly encoder against plain JavaScript and the stock FlatBuffers builder, for
 * scalars, strings and columns. All end in memory like the segment's, as a call does. Alone: npx tsx bench/stages.ts
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Builder } from 'flatbuffers'
import type * as EncoderModule from '../src/codec/encoder.js'
import { Argument } from '../src/codec/generated/argument.js'
import { Batch } from '../src/codec/generated/batch.js'
import { Call } from '../src/codec/generated/call.js'
import { Column } from '../src/codec/generated/column.js'
import * as layout from '../src/codec/layout.js'
import { type Encoding, median, type Result, type StageBar } from './model.js'
import { sliceSync } from './ours/slice.mjs'
import { BENCH, Missing } from './peers/workshop.js'

const AT = 0x70000
const SIZE = 0xa0000
const GROUP = 100
const COLUMN_ROWS = 16_384
const VTABLE_CALL = layout.CALL_HEAD
const CALL_KIND = layout.Kind.call

type Writer = () => void

async function loadEncoder(): Promise<EncoderModule.Encoder> {
  const built = join(BENCH, '../dist/src/codec/encoder.js')
  if (!existsSync(built)) throw new Missing('dist/src/codec/encoder.js is not there: run "npm run build"')
  const { createEncoder } = (await import(pathToFileURL(built).href)) as typeof EncoderModule
  return createEncoder()
}

/** A Call of two ints, written field by field through a DataView at the same fixed offsets. */
function writeCall(view: DataView, slot: number, id: number, a: number, b: number): void {
  view.setUint32(slot, id, true)
  view.setUint32(slot + 4, layout.Call.arguments + 16, true)
  view.setUint32(slot + 8, CALL_KIND, true)
  view.setUint32(slot + 12, 0, true)
  const m = slot + layout.MESSAGE
  for (let i = 0; i < VTABLE_CALL.length; i++) view.setUint32(m + 4 * i, VTABLE_CALL[i], true)
  view.setUint32(m + layout.Call.texts, 0, true)
  view.setUint32(m + layout.Call.texts + 4, 0, true)
  view.setUint32(m + layout.Call.routine, 7, true)
  view.setUint32(m + layout.Call.textRoom, 0, true)
  view.setUint32(m + 40, 0, true)
  view.setUint32(m + layout.Call.count, 2, true)
  view.setInt32(m + layout.Call.arguments, a, true)
  view.setInt32(m + layout.Call.arguments + 4, a >> 31, true)
  view.setInt32(m + layout.Call.arguments + 8, b, true)
  view.setInt32(m + layout.Call.arguments + 12, b >> 31, true)
}

function buildCall(builder: Builder, target: Uint8Array, a: number, b: number): void {
  builder.clear()
  Call.startArgumentsVector(builder, 2)
  Argument.createArgument(builder, BigInt(b))
  Argument.createArgument(builder, BigInt(a))
  const args = builder.endVector()
  builder.finish(Call.createCall(builder, 0n, 7, 0, args))
  target.set(builder.asUint8Array())
}

function buildBatch(builder: Builder, target: Uint8Array): void {
  builder.clear()
  Batch.startColumnsVector(builder, 2)
  Column.createColumn(builder, 0x20000n, 4n, 105n)
  Column.createColumn(builder, 0x10000n, 4n, 105n)
  const columns = builder.endVector()
  builder.finish(Batch.createBatch(builder, 0n, 7, 0, COLUMN_ROWS, 4, 0x30000n, 0n, 0n, 0, 105, columns, 0))
  target.set(builder.asUint8Array())
}

/** UTF-8 by hand, for what a loop in JavaScript (or WebAssembly) would cost. */
function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  let end = at
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) as number
    if (code < 0x80) bytes[end++] = code
    else if (code < 0x800) {
      bytes[end++] = 0xc0 | (code >> 6)
      bytes[end++] = 0x80 | (code & 63)
    } else if (code < 0x10000) {
      bytes[end++] = 0xe0 | (code >> 12)
      bytes[end++] = 0x80 | ((code >> 6) & 63)
      bytes[end++] = 0x80 | (code & 63)
    } else {
      i++
      bytes[end++] = 0xf0 | (code >> 18)
      bytes[end++] = 0x80 | ((code >> 12) & 63)
      bytes[end++] = 0x80 | ((code >> 6) & 63)
      bytes[end++] = 0x80 | (code & 63)
    }
  }
  bytes[end++] = 0
  return end - at
}

function nanoseconds(write: Writer, seconds: number, rounds: number): number {
  const values = Array.from({ length: rounds }, () => sliceSync(write, seconds, GROUP).value * 1000)
  return median(values)
}

const repeated = (work: (i: number) => void): Writer => {
  return () => {
    for (let i = 0; i < GROUP; i++) work(i)
  }
}

export async function measureEncoders(seconds: number, rounds: number): Promise<Encoding[]> {
  const encoder = await loadEncoder()
  const buffer = new ArrayBuffer(SIZE)
  const bytes = new Uint8Array(buffer)
  const words = new Int32Array(buffer)
  const view = new DataView(buffer)
  const node = Buffer.from(buffer)
  const builder = new Builder(1024)
  const target = bytes.subarray(AT)

  /** What the ring does with a message that has been put together. */
  const publish = (number: number, length: number, tag: number) => {
    const at = AT / 4
    words[at + 1] = length
    words[at + 2] = tag
    words[at + 3] = 0
    for (let i = 0; i < length >> 2; i++) words[at + layout.MESSAGE / 4 + i] = encoder.message[i]
    words[at] = number
  }
  const scalarsInWasm = (i: number) => {
    encoder.int(0, i, i >> 31)
    encoder.int(1, 4, 0)
    encoder.call(7, 2)
    publish(i, layout.Call.arguments + 16, CALL_KIND)
  }
  scalarsInWasm(-5)
  const canonical = bytes.slice(AT, AT + 80)
  writeCall(view, AT, -5, -5, 4)
  if (!canonical.every((byte, i) => byte === bytes[AT + i])) throw new Error('the two encoders differ')

  const ways: { what: string; way: Encoding['way']; write: Writer }[] = [
    { what: 'two ints', way: 'WebAssembly encoder', write: repeated(scalarsInWasm) },
    { what: 'two ints', way: 'plain JavaScript', write: repeated(i => writeCall(view, AT, i, i, 4)) },
    { what: 'two ints', way: 'FlatBuffers builder', write: repeated(i => buildCall(builder, target, i, 4)) },
  ]
  for (const length of [16, 1000]) {
    const text = 'Grüße aus Münster! '.repeat(60).slice(0, length)
    const what = `string of ${length}`
    ways.push(
      {
        what,
        way: 'WebAssembly encoder', // with the string itself by Node's native writer: that is how a call does it
        write: repeated(i => {
          node.write(text, AT + 128, 'utf8')
          encoder.address(0, AT + 128)
          encoder.call(7, 1)
          publish(i, layout.Call.arguments + 8, CALL_KIND)
        }),
      },
      {
        what,
        way: 'plain JavaScript',
        write: repeated(i => {
          writeUtf8(bytes, AT + 128, text)
          writeCall(view, AT, i, i, 4)
        }),
      },
      {
        what,
        way: 'FlatBuffers builder',
        write: repeated(() => {
          builder.clear()
          builder.finish(builder.createString(text))
          target.set(builder.asUint8Array())
        }),
      },
    )
  }

  const column = Int32Array.from({ length: COLUMN_ROWS }, (_, i) => i)
  const room = new Int32Array(buffer, 0x20000, COLUMN_ROWS)
  const large = new Builder(256 * 1024)
  const what = `two columns of ${COLUMN_ROWS}`
  ways.push(
    {
      what,
      way: 'WebAssembly encoder',
      write: repeated(i => {
        room.set(column)
        room.set(column)
        encoder.column(0, 0x10000n, 4, 105)
        encoder.column(1, 0x20000n, 4, 105)
        encoder.batch(0, 7, 0, COLUMN_ROWS, 4, 0x30000, 0, 0, 0, 105, 2, 0)
        publish(i, 152, 2)
      }),
    },
    {
      what,
      way: 'plain JavaScript',
      write: repeated(i => {
        for (let pass = 0; pass < 2; pass++) {
          for (let row = 0; row < COLUMN_ROWS; row++) view.setInt32(0x20000 + 4 * row, column[row], true)
        }
        writeCall(view, AT, i, i, 4)
      }),
    },
    {
      what,
      way: 'FlatBuffers builder',
      write: repeated(() => {
        for (let pass = 0; pass < 2; pass++) {
          large.clear()
          large.startVector(4, COLUMN_ROWS, 4)
          for (let row = COLUMN_ROWS - 1; row >= 0; row--) large.addInt32(column[row])
          large.endVector()
        }
        buildBatch(builder, target)
      }),
    },
  )
  return ways.map(({ what, way, write }) => ({ what, way, ns: nanoseconds(write, seconds, rounds) }))
}

/** Reading a Reply of two words from the slot, as it is when a call has come back. */
export async function measureDecode(seconds: number): Promise<number> {
  const buffer = new SharedArrayBuffer(1024)
  const words = new Int32Array(buffer)
  let sum = 0
  const us = sliceSync(
    repeated(i => {
      words[0] = i
      if (words[0] === i && words[layout.Reply.status >> 2] === 0) sum += words[layout.Reply.result >> 2]
    }),
    seconds,
    GROUP,
  ).value
  if (sum !== 0) throw new Error('unreachable')
  return us
}

/**
 * Where the time of a call goes, from figures of one run: what the call itself takes is the C loop's, encoding and decoding
 * are measured alone, and what is left is the channel; `.sync` adds that its thread waits, an awaited call its promise. Nothing
 * is drawn for which a figure is missing.
 */
export function stageBars(results: readonly Result[], encodings: readonly Encoding[], decodeUs: number): StageBar[] {
  const value = (id: string) => results.find(result => result.id === id)?.value
  const [routine, job, sync, awaited, together] = ['add-c', 'add-job', 'add-sync', 'add-awaited', 'add-1000'].map(value)
  const encodeNs = encodings.find(({ what, way }) => what === 'two ints' && way === 'WebAssembly encoder')?.ns
  if (routine === undefined || job === undefined || encodeNs === undefined) return []
  const encode = encodeNs / 1000
  const known = [
    { stage: 'encode', us: encode },
    { stage: 'call', us: routine },
    { stage: 'decode', us: decodeUs },
  ]
  const own = encode + routine + decodeUs
  const channel = { stage: 'channel', us: Math.max(0, job - own) }
  const bars: StageBar[] = [{ label: 'in a job', parts: [...known, channel] }]
  if (sync !== undefined) {
    const blocking = [...known, channel, { stage: 'wait', us: Math.max(0, sync - job) }]
    bars.push({ label: '.sync', parts: blocking })
    if (awaited !== undefined)
      bars.push({ label: 'awaited', parts: [...blocking, { stage: 'await', us: Math.max(0, awaited - sync) }] })
  }
  if (together !== undefined) {
    bars.push({ label: '1000 at once', parts: [...known, { stage: 'channel', us: Math.max(0, together - own) }] })
  }
  return bars
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const { what, way, ns } of await measureEncoders(0.2, 3)) {
    console.log(
      `${what.padEnd(22)} ${way.padEnd(20)} ${ns < 1000 ? `${ns.toFixed(1)} ns` : `${(ns / 1000).toFixed(2)} µs`}`,
    )
  }
  console.log(`decode a reply ${((await measureDecode(0.2)) * 1000).toFixed(1)} ns`)
}
