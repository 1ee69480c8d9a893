/**
 * A session without Windows whose host is the test itself: it sees what Node has written into the shared memory, and answers with
 * what it likes, as a DLL may that has taken the host over. What Node's side is made of is real, from the lane to the routines.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { ByteBuffer } from 'flatbuffers'
import { endMapping, forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { closeSegment, createSegment, writeHead } from '../../dist/src/channel/segment.js'
import { EndReason, Life, SharedState, SharedWord } from '../../dist/src/channel/shared.js'
import { createTurns } from '../../dist/src/channel/turns.js'
import { Control } from '../../dist/src/codec/generated/control.js'
import * as wire from '../../dist/src/codec/layout.js'
import { SessionCore } from '../../dist/src/session/core/core.js'
import { lend } from '../../dist/src/session/memsync/loan.js'
import { SessionSurface } from '../../dist/src/session/surface/surface.js'
import type { Random } from '../faults/random.js'

export type Arch = 'win64' | 'win32'
/** What joined threads, and the worker, have as theirs. */
const THREAD = wire.CALLER_THREAD
/** Looks at the segment for the test. */
const ONLOOKER = 30
const MEMORY = 1 << 20
const BASES = { win64: 0x7e00_0000_0000, win32: 0x2000_0000 } as const

/** Whose memory Node reads where an address lies outside of the segment: that of a process that does nothing. */
let victim: ChildProcess | undefined
function victimProcess(): number {
  if (!victim || victim.exitCode !== null || victim.signalCode !== null) {
    victim = spawn('sleep', ['infinity'], { stdio: 'ignore' })
    victim.unref()
  }
  return victim.pid as number
}
process.on('exit', () => victim?.kill('SIGKILL'))

/** With what the package's own types leave out. */
const Base = SessionSurface as unknown as new (arch: Arch) => SessionSurface & { adopt(core: SessionCore): void }

class Surface extends Base {
  readonly id = 'puppet'
  readonly cwd = '/'
  core!: SessionCore
  async whenReady(): Promise<SessionCore> {
    return this.core
  }
  coreNow(): SessionCore {
    return this.core
  }
  toUnix(): undefined {}
}

/** A message of Node's. */
export interface Asked {
  readonly kind: number
  /** Offset of its bytes in the segment. */
  readonly at: number
  readonly length: number
  /** Number that the reply is to have (of requests). */
  readonly reply: number
}

export class Puppet {
  readonly state = new SharedState()
  readonly segment = createSegment(MEMORY, this.state, [THREAD])
  readonly mapping: Mapping
  readonly base: number
  readonly surface: Surface
  /** What callbacks failed with that nobody waits for. */
  readonly strayed: Error[] = []
  #done = 0
  readonly #posted = new Int32Array(wire.STRANDS)

  constructor(readonly arch: Arch) {
    const { state, segment } = this
    Atomics.store(state.i32, SharedWord.threads, 1 << THREAD)
    writeHead(segment, state, { process: process.pid, descriptor: fd => fd })
    const pid = victimProcess()
    Atomics.store(state.i32, SharedWord.process, pid)
    this.mapping = new Mapping(segment, state, ONLOOKER)
    this.base = BASES[arch]
    this.surface = new Surface(arch)
    this.surface.core = new SessionCore({
      facts: {
        id: 'puppet',
        arch,
        memory: state.memory,
        segment,
        turns: createTurns(),
        number: 1,
        pid,
        server: 0,
        base: this.base,
        pointerSize: arch === 'win64' ? 8 : 4,
        memoryByHost: false,
        pythonVersion: '3.11.0',
        cwd: '/',
        prefix: '/nonexistent',
        sandbox: undefined,
        encoding: 'utf-8',
        timeoutCall: Number.POSITIVE_INFINITY,
        timeoutStop: Number.POSITIVE_INFINITY,
      },
      thread: THREAD,
      shared: state,
      lend,
      onCallbackError: error => this.strayed.push(error),
    })
    this.surface.adopt(this.surface.core)
    Atomics.store(state.i32, SharedWord.life, Life.up)
    Atomics.store(this.mapping.i32, wire.ControlWord.hostState / 4, wire.HostState.serving)
  }

  /** The next request that has not been taken. */
  take(): Asked | undefined {
    const { mapping, state } = this
    if (((Atomics.load(state.i32, SharedWord.tail) - this.#done) | 0) <= 0) return undefined
    const slot = wire.REQUEST_OFFSET + (this.#done & (wire.SLOTS - 1)) * wire.REQUEST_SIZE
    this.#done++
    Atomics.store(mapping.i32, wire.ControlWord.done / 4, this.#done)
    return { ...this.#messageAt(slot), reply: mapping.i32[(slot + wire.Header.reply) >> 2] }
  }

  /** What Node has said to a strand that waits. */
  heard(strand: number): Asked | undefined {
    const box = wire.STRAND_OFFSET + strand * wire.STRAND_SIZE + wire.STRAND_TO_HOST
    if (this.#posted[strand] === 0 || this.mapping.i32[box >> 2] !== this.#posted[strand]) return undefined
    return { ...this.#messageAt(box), reply: 0 }
  }

  #messageAt(slot: number): Omit<Asked, 'reply'> {
    const { view } = this.mapping
    const tag = view.getUint32(slot + wire.Header.tag, true)
    const length = view.getUint32(slot + wire.Header.length, true)
    const inArena = ((tag >>> 16) & wire.MESSAGE_IN_ARENA) !== 0
    return { kind: tag & 0xff, at: inArena ? view.getUint32(slot + wire.MESSAGE, true) : slot + wire.MESSAGE, length }
  }

  control({ at, length }: Asked): Control {
    return Control.getRootAsControl(new ByteBuffer(this.mapping.u8.slice(at, at + length)))
  }

  reply(number: number, status: number, code: number, texts: bigint, result: bigint): void {
    const slot = wire.REPLY_OFFSET + THREAD * wire.REPLIES_SIZE + ((number - 1) & (wire.SLOTS - 1)) * wire.REPLY_SIZE
    this.#putReply(slot + wire.REPLY_MESSAGE, status, code, texts, result)
    this.mapping.view.setUint32(slot + 4, wire.Reply.size, true)
    Atomics.store(this.mapping.i32, slot >> 2, number)
  }

  #putReply(at: number, status: number, code: number, texts: bigint, result: bigint): void {
    const { view } = this.mapping
    wire.REPLY_HEAD.forEach((word, i) => view.setUint32(at + 4 * i, word, true))
    view.setUint32(at + wire.Reply.status, status, true)
    view.setUint32(at + wire.Reply.code, code, true)
    view.setBigUint64(at + wire.Reply.texts, BigInt.asUintN(64, texts), true)
    view.setBigUint64(at + wire.Reply.result, BigInt.asUintN(64, result), true)
  }

  /** A message in a strand's mailbox. `thread` is whose it is said to be. */
  post(strand: number, kind: number, message: Uint8Array, length = message.length, thread: number = THREAD): void {
    const box = wire.STRAND_OFFSET + strand * wire.STRAND_SIZE
    const { mapping } = this
    mapping.u8.set(message.subarray(0, wire.MAILBOX_ROOM), box + wire.MESSAGE)
    mapping.view.setUint32(box + wire.Header.length, length, true)
    mapping.view.setUint32(box + wire.Header.tag, kind | (thread << 8), true)
    Atomics.store(mapping.i32, box >> 2, ++this.#posted[strand])
    Atomics.or(mapping.i32, (wire.THREAD_OFFSET + THREAD * wire.THREAD_SIZE + wire.ThreadWord.posted) >> 2, 1 << strand)
  }

  callback(strand: number, number: number, values: readonly bigint[], count = values.length, thread = THREAD): void {
    const message = new Uint8Array(wire.Callback.arguments + 8 * values.length)
    const view = new DataView(message.buffer)
    wire.CALLBACK_HEAD.forEach((word, i) => view.setUint32(4 * i, word, true))
    view.setUint32(wire.Callback.callback, number, true)
    view.setUint32(wire.Callback.count, count, true)
    values.forEach((value, i) => view.setBigUint64(wire.Callback.arguments + 8 * i, BigInt.asUintN(64, value), true))
    this.post(strand, wire.Kind.callback, message, message.length, thread)
  }

  /** Has Node look at what has been written, as a bell does. */
  ring(): void {
    this.surface.core.lane.heard()
  }

  /** The end of the session: whatever has not been settled fails. */
  end(): void {
    const { state, segment } = this
    state.end(EndReason.terminated)
    this.ring()
    closeSegment(segment, state)
    endMapping(segment, state)
    forgetView(segment, state, ONLOOKER)
    forgetView(segment, state, THREAD)
  }
}

/** Some of the bytes are others. */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const made = bytes.slice()
  if (made.length === 0) return made
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(made.length)
    if (random.below(2) > 0) made[at] = random.of([0, 1, 0x7f, 0x80, 0xff, random.below(256)])
    else if (at + 4 <= made.length) new DataView(made.buffer).setUint32(at & ~3, strange(random), true)
  }
  return made
}

export const strange = (random: Random): number =>
  random.of([
    0,
    1,
    2,
    0x7f,
    0xff,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xfffffff0,
    0xffffffff,
    wire.ARENA_OFFSET,
    random.below(2 ** 31),
  ])
