/**
 * The thread of a fake host: it serves a real segment as docs/wire.md says, without Windows, and misbehaves as it is told. It knows
 * the numbers of the wire, and none of the classes that it is there to test.
 */
import { workerData } from 'node:worker_threads'
import { ByteBuffer } from 'flatbuffers'
import { libc, viewOf } from '../../dist/src/channel/libc.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedWord } from '../../dist/src/channel/shared.js'
import { Control } from '../../src/codec/generated/control.js'
import * as wire from '../../src/codec/layout.js'
import { outcome } from '../codec/outcome.js'
import { Ask, Order, type Orders } from './fake-host.js'

const { ControlWord, Header, Kind, MESSAGE, Status, ThreadWord } = wire
const { segment, state, orders } = workerData as { segment: Segment; state: SharedArrayBuffer; orders: Orders }
const shared = new Int32Array(state)
const buffer = viewOf(segment.address, segment.size)
const i32 = new Int32Array(buffer)
const u8 = new Uint8Array(buffer)
const view = new DataView(buffer)

const order = (which: number) => Atomics.load(orders, which)
const sleep = (milliseconds: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
const threadWord = (thread: number, word: number) => (wire.THREAD_OFFSET + thread * wire.THREAD_SIZE + word) >> 2
const box = (strand: number) => wire.STRAND_OFFSET + strand * wire.STRAND_SIZE
const write = (fd: number) => libc().write(fd, new Uint8Array([1]), 1)

/** What this side is sure of, whatever is written over in the segment. */
let done = Atomics.load(i32, ControlWord.done / 4)
const posted = new Int32Array(wire.STRANDS)
/** Strands that wait for Node's next message. */
const waiting = new Set<number>()
/** Conversations that go on besides the main loop's, by strand. */
const conversations = new Map<number, Generator<void, void>>()

function ring(thread: number): void {
  if (order(Order.neverRing)) return
  if (order(Order.ringAlways)) for (let i = 0; i < 100; i++) write(shared[SharedWord.bell + thread])
  if (Atomics.exchange(i32, threadWord(thread, ThreadWord.sleeps), 0) !== 0) write(shared[SharedWord.bell + thread])
}

function reply(thread: number, number: number, status: number, code: number, result: number): void {
  const at = wire.REPLY_OFFSET + thread * wire.REPLIES_SIZE + ((number - 1) & (wire.SLOTS - 1)) * wire.REPLY_SIZE
  putReply(at + wire.REPLY_MESSAGE, status, code, result)
  i32[(at >> 2) + 1] = wire.Reply.size
  Atomics.store(i32, at >> 2, number)
  ring(thread)
}

function putReply(at: number, status: number, code: number, result: number): void {
  wire.REPLY_HEAD.forEach((word, i) => view.setUint32(at + 4 * i, word, true))
  view.setUint32(at + wire.Reply.status, status, true)
  view.setUint32(at + wire.Reply.code, code, true)
  view.setBigInt64(at + wire.Reply.result, BigInt(result), true)
}

/** What a message asks for: a few words of its own, since nothing here has to do with routines. */
interface Asked {
  readonly kind: number
  readonly words: Int32Array
}

function messageAt(slot: number, room: number): Asked | undefined {
  const tag = view.getUint32(slot + Header.tag, true)
  const length = view.getUint32(slot + Header.length, true)
  let at = slot + MESSAGE
  if ((tag >>> 16) & wire.MESSAGE_IN_ARENA) {
    at = view.getUint32(at, true)
    if (at < wire.ARENA_OFFSET || at % 4 !== 0 || at + length > segment.size) return undefined
  } else if (length > room) return undefined
  const bytes = u8.slice(at, at + ((length + 3) & ~3))
  return { kind: tag & 0xff, words: new Int32Array(bytes.buffer) }
}

/** How many wait for time to pass, and for no bell. */
let waits = 0
function* pass(milliseconds: number): Generator<void, void> {
  const until = performance.now() + milliseconds
  waits++
  while (performance.now() < until) yield
  waits--
}

/** Carries out a call on a strand; what it gives becomes the reply's result. */
function* execute({ words }: Asked, strand: number): Generator<void, number> {
  const [what, a, b] = words
  if (what === Ask.add) return a + b
  if (what === Ask.wait) {
    yield* pass(a)
    return a
  }
  if (what === Ask.callBack) {
    let last = 0
    for (let i = 0; i < b; i++) last = yield* callBack(a, i, strand)
    return last
  }
  if (what === Ask.callBackFromThreads) {
    // strands of a DLL's own; the call itself does not wait for them
    for (let other = 1; other <= b; other++) conversations.set(other, conversation(a, other))
    return b
  }
  if (what === Ask.scribble) {
    const until = performance.now() + a
    while (performance.now() < until)
      for (let i = 0; i < 1000; i++) i32[Math.floor(Math.random() * (segment.size / 4))] = Math.random() * 2 ** 32
    return 0
  }
  throw new Error(`nothing is asked by ${what}`)
}

function* conversation(callback: number, strand: number): Generator<void, void> {
  yield* callBack(callback, strand, strand)
}

function post(strand: number, thread: number, kind: number, length: number): void {
  const at = box(strand)
  view.setUint32(at + Header.length, length, true)
  view.setUint32(at + Header.tag, kind | (thread << 8), true)
  Atomics.store(i32, at >> 2, ++posted[strand])
  if (order(Order.losePosts) === 0) Atomics.or(i32, threadWord(thread, ThreadWord.posted), 1 << strand)
  ring(thread)
}

/** Calls Node's callback with one argument; what it returned. */
function* callBack(callback: number, argument: number, strand: number): Generator<void, number> {
  let thread = callback >>> 24
  const message = box(strand) + MESSAGE
  Atomics.add(i32, threadWord(thread, ThreadWord.open), 1)
  if (Atomics.load(i32, threadWord(thread, ThreadWord.gone)) !== 0) {
    Atomics.sub(i32, threadWord(thread, ThreadWord.open), 1)
    thread = wire.CALLER_THREAD
    Atomics.add(i32, threadWord(thread, ThreadWord.open), 1)
  }
  wire.CALLBACK_HEAD.forEach((word, i) => view.setUint32(message + 4 * i, word, true))
  view.setUint32(message + wire.Callback.callback, callback, true)
  view.setUint32(message + wire.Callback.count, 1, true)
  view.setBigInt64(message + wire.Callback.arguments, BigInt(argument), true)
  post(strand, thread, Kind.callback, wire.Callback.arguments + 8)
  for (;;) {
    const answer = box(strand) + wire.STRAND_TO_HOST
    // one message each, in turns
    waiting.add(strand)
    while (Atomics.load(i32, answer >> 2) !== posted[strand]) yield
    waiting.delete(strand)
    const asked = messageAt(answer, wire.MAILBOX_ROOM)
    if (asked?.kind === Kind.return) {
      Atomics.sub(i32, threadWord(thread, ThreadWord.open), 1)
      return asked.words[wire.Return.result / 4]
    }
    if (asked?.kind === Kind.control) {
      const outcome = control(asked)
      u8.set(outcome, message)
      post(strand, thread, Kind.outcome, outcome.length)
    } else {
      const result = asked ? yield* execute(asked, strand) : 0
      putReply(message, asked ? Status.done : Status.refused, 0, result)
      post(strand, thread, Kind.reply, wire.Reply.size)
    }
  }
}

/** The Outcome of a control message: its operation, its numbers and texts. */
function control({ words }: Asked): Uint8Array {
  const table = Control.getRootAsControl(new ByteBuffer(new Uint8Array(words.buffer)))
  const texts = Array.from({ length: table.textsLength() }, (_, i) => String(table.texts(i)))
  const numbers = Array.from({ length: table.numbersLength() }, (_, i) => table.numbers(i) ?? 0n)
  return outcome(true, [BigInt(table.op()), ...numbers], texts)
}

/** Is a request being carried out? */
let busy = false
/** Takes requests in order, for ever. */
function* mainLoop(): Generator<void, void> {
  for (;;) {
    const slot = wire.REQUEST_OFFSET + (done & (wire.SLOTS - 1)) * wire.REQUEST_SIZE
    const next = (done + 1) | 0
    // looked at on both sides of the order: a test writes over a request before it takes the order back
    while (Atomics.load(i32, slot >> 2) !== next || order(Order.takeNothing) || Atomics.load(i32, slot >> 2) !== next)
      yield
    const thread = (view.getUint32(slot + Header.tag, true) >>> 8) & 0xff
    const number = i32[(slot + Header.reply) >> 2]
    const asked = messageAt(slot, wire.REQUEST_SIZE - MESSAGE)
    if (thread >= wire.THREADS) throw new Error(`a request of thread ${thread}`)
    busy = true
    i32[ControlWord.running / 4] = number
    i32[ControlWord.runningThread / 4] = thread
    let result = 0
    let status: number = Status.done
    if (asked?.kind === Kind.call) result = yield* execute(asked, 0)
    else if (asked?.kind === Kind.control) result = putOutcome(asked)
    else status = Status.refused
    yield* pass(order(Order.delay))
    i32[ControlWord.runningThread / 4] = -1
    busy = false
    done = next
    Atomics.store(i32, ControlWord.done / 4, done)
    if (order(Order.loseReplies) > 0) Atomics.sub(orders, Order.loseReplies, 1)
    else
      reply(
        thread,
        order(Order.wrongNumbers) ? number + 7 : number,
        status,
        status === Status.done ? 0 : wire.Refusal.malformed,
        result,
      )
    Atomics.add(orders, Order.served, 1)
  }
}

function putOutcome(asked: Asked): number {
  const table = Control.getRootAsControl(new ByteBuffer(new Uint8Array(asked.words.buffer)))
  const outcome = control(asked)
  const room = Number(table.room())
  if (room >= wire.ARENA_OFFSET && outcome.length <= table.roomSize()) u8.set(outcome, room)
  return outcome.length
}

let asked = 0
/** The memory window, over a memory that Node does not see: bytes that say their own addresses. */
function serveWindow(): void {
  const number = Atomics.load(i32, wire.Window.offset >> 2)
  if (number === asked || order(Order.deafWindow)) return
  asked = number
  const at = wire.Window.offset
  const address = Number(view.getBigUint64(at + wire.Window.address, true))
  const size = view.getUint32(at + wire.Window.size, true)
  const good = address >= 0x1000 && size <= wire.Window.room
  if (good && view.getUint32(at + wire.Window.op, true) === wire.MemoryOp.read)
    for (let i = 0; i < size; i++) u8[wire.Window.data + i] = (address + i) & 0xff
  if (order(Order.slowWindow)) sleep(order(Order.slowWindow))
  i32[(wire.Window.answer >> 2) + 1] = good ? 0 : 1
  Atomics.store(i32, wire.Window.answer >> 2, number)
}

/** Two bells, as `poll` wants them. */
const polled = new Uint8Array(16)
const bells = new DataView(polled.buffer)
for (const [i, fd] of [segment.hostBell, segment.strandsBell].entries()) {
  bells.setInt32(8 * i, fd, true)
  bells.setInt16(8 * i + 4, 1, true)
}
const stale = new Uint8Array(64)

/** Is there anything that a bell would be rung for? */
function hasNews(): boolean {
  const slot = wire.REQUEST_OFFSET + (done & (wire.SLOTS - 1)) * wire.REQUEST_SIZE
  if (!busy && Atomics.load(i32, slot >> 2) === ((done + 1) | 0) && !order(Order.takeNothing)) return true
  return [...waiting].some(strand => Atomics.load(i32, (box(strand) + wire.STRAND_TO_HOST) >> 2) === posted[strand])
}

function sleepUntilRung(): void {
  Atomics.store(i32, ControlWord.hostSleeps / 4, 1)
  for (let strand = 0; strand < wire.STRANDS; strand++) Atomics.store(i32, ControlWord.strandSleeps / 4 + strand, 1)
  // who rings may have read what somebody has written over it
  Atomics.store(i32, ControlWord.done / 4, done)
  if (!hasNews()) {
    Atomics.add(orders, Order.sleeps, 1)
    // for ever, as a host's main loop does; its other strands look by themselves now and then
    for (let slices = 0; libc().poll(polled, 2, 20) <= 0; slices++)
      if (order(Order.stop) || (conversations.size > 0 && slices > 50)) break
  }
  for (const fd of [segment.hostBell, segment.strandsBell]) libc().read(fd, stale, stale.length)
  Atomics.store(i32, ControlWord.hostSleeps / 4, 0)
  for (let strand = 0; strand < wire.STRANDS; strand++) Atomics.store(i32, ControlWord.strandSleeps / 4 + strand, 0)
}

const main = mainLoop()
Atomics.store(i32, ControlWord.hostState / 4, wire.HostState.serving)
Atomics.store(orders, Order.up, 1)
Atomics.notify(orders, Order.up)
for (let idle = 0; !order(Order.stop); ) {
  const before = done
  main.next()
  for (const [strand, generator] of conversations) if (generator.next().done) conversations.delete(strand)
  serveWindow()
  if (done !== before || hasNews()) idle = 0
  else if (++idle % 16 === 0) libc().sched_yield()
  if (idle > 200) {
    if (waits > 0) sleep(0.2)
    else sleepUntilRung()
  }
}
