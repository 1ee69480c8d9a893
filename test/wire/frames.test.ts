/**
 * Frames that Node would never write, put into the shared memory by hand: the host answers each of them, or ends; it never hangs,
 * and what it says of a good frame between them is right. ZB_FUZZ_SECONDS makes it go on for longer.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ringBell } from '../../dist/src/channel/bell.js'
import { endMapping, forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import { closeSegment, createSegment, writeHead } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { decodeOutcome, encodeControl } from '../../dist/src/codec/control.js'
import {
  ARENA_OFFSET,
  BATCH_HEAD,
  Batch,
  CALL_HEAD,
  Call,
  ControlWord,
  Header,
  Kind,
  MAGIC,
  MESSAGE,
  MESSAGE_IN_ARENA,
  Op,
  REPLIES_SIZE,
  REPLY_MESSAGE,
  REPLY_OFFSET,
  REPLY_SIZE,
  REQUEST_OFFSET,
  REQUEST_SIZE,
  RETURN_HEAD,
  Reply,
  Return,
  SLOTS,
  STRAND_OFFSET,
  STRAND_TO_HOST,
  WIRE_VERSION,
} from '../../dist/src/codec/layout.js'
import { resolveConfig } from '../../dist/src/runtime/config.js'
import { wineEnvironment } from '../../dist/src/runtime/environment.js'
import { locate } from '../../dist/src/runtime/locate.js'
import { ensureServices } from '../../dist/src/runtime/prefix.js'
import { dll, sleep } from '../session/support.js'

const test = suite('frames that nobody would write')
const seconds = Number(process.env.ZB_FUZZ_SECONDS ?? 3)
const seed = Number(process.env.ZB_FUZZ_SEED ?? 4711)
const ARENA = 1 << 20
/** Of Node's, and the only one. */
const THREAD = 1
/** Number of the routine that calls back. */
const CALLING = 3
const ROOM = ARENA_OFFSET + 0x40000
/** Longer than anything here takes, under load too: whoever is silent for so long hangs. */
const PATIENCE = 20_000

let state = BigInt(seed) << 32n
function random(below: number): number {
  const mask = (1n << 64n) - 1n
  state = (state + 0x9e3779b97f4a7c15n) & mask
  let z = state
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  return Number((z ^ (z >> 31n)) % BigInt(below))
}

const { version } = await import('../../package.json', { with: { type: 'json' } }).then(module => module.default)
const config = resolveConfig({})
const installation = locate(config)

/** The host with a Node that writes what it likes. */
class Raw {
  readonly state = new SharedState()
  readonly segment = createSegment(ARENA, this.state, [THREAD])
  readonly mapping = new Mapping(this.segment, this.state, THREAD)
  readonly child: ChildProcess
  words = ''
  /** What was written last. */
  last = ''
  ended = false
  #sent = 0
  #posts = 0
  #answers = 0
  base = 0n
  thunk = 0n
  readonly routines: Record<string, bigint> = {}

  constructor() {
    const { segment } = this
    writeHead(segment, this.state, { process: process.pid, descriptor: fd => fd })
    const descriptors = [segment.file, segment.hostBell, segment.strandsBell]
    const host = resolve('wine-host/main.py').replaceAll('/', '\\')
    const args = [process.pid, ...descriptors].map(String)
    this.child = spawn(installation.wine, [installation.python, '-I', '-S', '-E', `Z:${host}`, ...args], {
      env: wineEnvironment(config, installation),
      stdio: 'pipe',
      detached: true,
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.words = (this.words + chunk).slice(-4000)
      })
    this.child.stdin?.on('error', () => {})
    this.child.on('exit', () => {
      this.ended = true
    })
  }

  async start(): Promise<void> {
    const hello = await this.control(Op.hello, [WIRE_VERSION], [version])
    this.base = hello.numbers[3]
    await this.control(Op.load, [1, -1], [`Z:${dll('faults').replaceAll('/', '\\')}`])
    await this.control(Op.load, [2, -1], [`Z:${dll('callbacks').replaceAll('/', '\\')}`])
    await this.control(Op.declare, [1, 1, 0, 0, -1], ['add', 'ii', 'i'])
    await this.control(Op.declare, [2, 1, 0, 1, -1], ['divide', 'ii', 'i'])
    await this.control(Op.declare, [CALLING, 2, 0, 0, -1], ['call_once', 'pi', 'i'])
    this.thunk = (await this.control(Op.thunk, [0x1000001, 0, 0], ['i', 'i'])).numbers[0]
  }

  async end(): Promise<void> {
    this.child.stdin?.end()
    this.child.kill('SIGKILL')
    await this.until(() => this.ended)
    closeSegment(this.segment, this.state)
    endMapping(this.segment, this.state)
    forgetView(this.segment, this.state, THREAD)
  }

  word(at: number): number {
    return Atomics.load(this.mapping.i32, at / 4) >>> 0
  }
  write(bytes: Uint8Array, at: number): void {
    this.mapping.u8.set(bytes, at)
  }
  read(at: number, size: number): Buffer {
    return Buffer.from(this.mapping.u8.slice(at, at + size))
  }
  /** Stores the number of what has been written, and wakes the host's main thread if it sleeps. */
  publish(at: number, number: number, sleeps: number): void {
    const { i32 } = this.mapping
    Atomics.store(i32, at / 4, number)
    if (Atomics.exchange(i32, sleeps / 4, 0) !== 0) ringBell(this.segment.hostBell)
  }

  /** False when the host ended first. */
  async until(condition: () => boolean): Promise<boolean> {
    const end = Date.now() + PATIENCE
    for (let looks = 0; !condition(); looks++) {
      if (this.ended) return false
      if (Date.now() > end) {
        this.child.kill('SIGKILL')
        const { done, hostSleeps, hostState, running, strandSleeps } = ControlWord
        const words = [
          done,
          hostSleeps,
          hostState,
          running,
          strandSleeps,
          STRAND_OFFSET,
          STRAND_OFFSET + STRAND_TO_HOST,
        ]
        this.last = `thunk ${this.thunk.toString(16)}, ${this.#posts} posts, ${this.#answers} answers; ${words.map(word => this.word(word)).join()}; ${this.last}`
        throw new Error(`the host hangs (seed ${seed}): ${this.last}; its last words: ${this.words}`)
      }
      // the host may need the core, and its end is told in the event loop
      if (looks % 64 === 63) await sleep(0)
    }
    return true
  }

  /** Publishes a request; the reply, or undefined when the host ended. Callbacks that it makes are answered by `answer`. */
  async request(kind: number, message: Uint8Array, length = message.length, flags = 0) {
    const number = ++this.#sent
    this.last = `request ${number}, ${length} bytes of kind ${kind}, flags ${flags}: ${Buffer.from(message).toString('hex')}`
    const slot = REQUEST_OFFSET + ((number - 1) % SLOTS) * REQUEST_SIZE
    this.write(message.subarray(0, REQUEST_SIZE - MESSAGE), slot + MESSAGE)
    const tag = (kind & 0xff) | (THREAD << 8) | (flags << 16)
    this.write(new Uint8Array(Uint32Array.of(length, tag, number).buffer), slot + Header.length)
    this.publish(slot, number, ControlWord.hostSleeps)
    const at = REPLY_OFFSET + THREAD * REPLIES_SIZE + ((number - 1) % SLOTS) * REPLY_SIZE
    const isThere = () => this.word(at) === number
    for (;;) {
      if (!(await this.until(() => isThere() || this.word(STRAND_OFFSET) !== this.#posts))) return undefined
      if (isThere()) break
      this.#converse()
    }
    const reply = this.read(at + REPLY_MESSAGE, Reply.size)
    return {
      status: reply.readUInt32LE(Reply.status),
      code: reply.readUInt32LE(Reply.code),
      result: reply.readBigUInt64LE(Reply.result),
    }
  }

  /** The same of a message that lies in the arena. */
  requestAt(offset: number, kind: number, length: number) {
    return this.request(kind, new Uint8Array(Uint32Array.of(offset).buffer), length, MESSAGE_IN_ARENA)
  }

  async control(op: number, numbers: readonly (number | bigint)[], texts: readonly string[]) {
    const message = encodeControl(op, numbers, texts, ROOM, 4096)
    this.write(message, ROOM + 4096)
    const reply = await (message.length > REQUEST_SIZE - MESSAGE
      ? this.requestAt(ROOM + 4096, Kind.control, message.length)
      : this.request(Kind.control, message))
    assert.is(reply?.status, 0, `operation ${op}: ${this.words}`)
    const outcome = decodeOutcome(new Uint8Array(this.read(ROOM, Number(reply?.result))))
    assert.ok(outcome.ok, outcome.texts.join())
    return outcome
  }

  /** A callback is open on strand 0: some damaged frames inside it, then its return. */
  #converse(): void {
    this.#posts = this.word(STRAND_OFFSET)
    const kind = this.read(STRAND_OFFSET + Header.tag, 1)[0]
    let [next, bytes] = [Kind.return as number, returned()]
    if (kind === Kind.callback || random(3) > 0) {
      const frame = random(4) ? aFrame(this) : { kind: Kind.return as number, message: returned() }
      if (frame.message.length <= STRAND_TO_HOST - MESSAGE) [next, bytes] = [frame.kind, damage(frame.message)]
    }
    const at = STRAND_OFFSET + STRAND_TO_HOST
    const number = ++this.#answers
    this.write(bytes, at + MESSAGE)
    const length = random(16) ? bytes.length : random(0xffffffff)
    this.last += `; answer ${number}, ${length} bytes of kind ${next}: ${bytes.toString('hex')}`
    const tag = next | (random(16) ? 0 : random(0x10000) << 16)
    this.write(new Uint8Array(Uint32Array.of(length, tag).buffer), at + Header.length)
    this.publish(at, number, ControlWord.strandSleeps)
  }
}

/** A message that begins as all of its kind do. */
function headed(head: readonly number[], size: number): Buffer {
  const out = Buffer.alloc(size)
  Buffer.from(Uint32Array.from(head).buffer).copy(out)
  return out
}

function returned(): Buffer {
  const out = headed(RETURN_HEAD, Return.size)
  out.writeUInt32LE(random(100), Return.result)
  return out
}

function call(routine: number, ...values: bigint[]): Buffer {
  const out = headed(CALL_HEAD, Call.arguments + 8 * values.length)
  out.writeUInt32LE(routine, Call.routine)
  out.writeUInt32LE(values.length, Call.count)
  values.forEach((value, i) => out.writeBigUInt64LE(value, Call.arguments + 8 * i))
  return out
}

function batch({ base }: Raw, routine: number): Buffer {
  const out = headed(BATCH_HEAD, Batch.columns + 2 * Batch.columnSize)
  const arena = base + BigInt(ARENA_OFFSET)
  const kind = 'i'.charCodeAt(0)
  const small = { routine, flags: random(2), rows: 1 + random(40), resultStride: 4, errorCapacity: random(50) }
  for (const [field, value] of Object.entries({ ...small, resultKind: kind, count: 2 }))
    out.writeUInt32LE(value, Batch[field as keyof typeof Batch])
  out.writeBigUInt64LE(arena + 0x1000n, Batch.results)
  out.writeBigUInt64LE(arena + 0x2000n, Batch.errors)
  out.writeBigUInt64LE(arena + 0x4000n, Batch.lastErrors)
  for (const [i, at] of [0n, 0x800n].entries())
    Buffer.from(BigUint64Array.of(arena + at, BigInt(4 * random(2)), BigInt(kind)).buffer).copy(
      out,
      Batch.columns + Batch.columnSize * i,
    )
  return out
}

function aFrame(raw: Raw): { kind: number; message: Buffer } {
  const which = random(8)
  if (which < 2) return { kind: Kind.call, message: call(1 + random(2), BigInt(random(1000)), BigInt(random(3))) }
  if (which < 4) return { kind: Kind.batch, message: batch(raw, 1 + random(2)) }
  if (which < 5) return { kind: Kind.call, message: call(CALLING, raw.thunk, 5n) }
  const controls: [number, number[], string[]][] = [
    [Op.setLastError, [5, -1], []],
    [Op.symbol, [1, -1], ['add']],
    [Op.declare, [10 + random(100), 1, 0, 0, -1], ['add', 'ii', 'i']],
    [Op.alloc, [1 + random(10_000)], []],
    [Op.free, [random(0x7fffffff)], []],
    [Op.thunk, [0x1000100 + random(100), 0, 0], ['ii', 'i']],
    [Op.formatError, [random(20)], []],
  ]
  const [op, numbers, texts] = controls[random(controls.length)]
  return { kind: Kind.control, message: Buffer.from(encodeControl(op, numbers, texts, ROOM, 4096)) }
}

const STRANGE = [
  0,
  1,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  0xfffffff0,
  1000,
  ARENA_OFFSET,
]

function damage(message: Buffer): Buffer {
  const out = Buffer.from(message)
  if (random(12) === 0) return out
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(out.length)
    const kind = random(4)
    if (kind === 0) out[at] = random(256)
    else if (kind === 1) out[at] ^= 1 << random(8)
    else if (kind === 2 && at + 4 <= out.length) out.writeUInt32LE(STRANGE[random(STRANGE.length)], at & ~3)
    else out[at] = STRANGE[random(STRANGE.length)] & 0xff
  }
  // what a routine does that is given a wrong address to call is its own affair
  if (message.length === 64 && message.readUInt32LE(Call.routine) === CALLING) message.copy(out, 48, 48, 56)
  // billions of rows are legal, but long
  if (out.length > 60 && out.readUInt32LE(0) === BATCH_HEAD[0]) out.writeUInt16LE(0, Batch.rows + 2)
  return out
}

/** Operations that a damaged frame may have become, and that end the host as they should, or write where they are told to. */
const op = (message: Buffer) => {
  const table = message.readUInt32LE(0)
  return table + 8 < message.length ? message[table + 7] : 0
}

test(`${seconds} seconds of them`, async () => {
  const hold = setInterval(() => {}, 1000) // to wait for the services does not keep Node alive
  await ensureServices(installation).finally(() => clearInterval(hold))
  let end = Number.POSITIVE_INFINITY
  const counts = { frames: 0, answered: [0, 0, 0, 0, 0], hosts: 0 }
  while (Date.now() < end) {
    const raw = new Raw()
    counts.hosts++
    await raw.start()
    // the first start of Wine is not counted
    end = Math.min(end, Date.now() + seconds * 1000)
    let wild = false
    while (Date.now() < end && !raw.ended) {
      if (counts.frames % 50 === 0 && !wild) {
        const good = await raw.request(Kind.call, call(1, 40n, 2n))
        assert.is(good?.status, 0, raw.words)
        assert.is(good?.result, 42n)
        assert.is(raw.word(ControlWord.magic), MAGIC)
        assert.is(raw.word(ControlWord.version), WIRE_VERSION)
      }
      counts.frames++
      const frame = aFrame(raw)
      const message = damage(frame.message)
      let { length } = message
      let [kind, flags, sent] = [frame.kind, 0, message as Uint8Array]
      // whoever may redefine routines, write memory or free it has the right to break the process
      if (kind === Kind.control && !message.equals(frame.message) && op(message) !== 0) wild = true
      if (random(8) === 0) {
        const at = (random(2) ? ARENA_OFFSET + 0x60000 : ARENA_OFFSET + ARENA - length) & ~3
        raw.write(message.subarray(0, ARENA_OFFSET + ARENA - at), at)
        flags = MESSAGE_IN_ARENA
        sent = Uint8Array.from(Buffer.from(Uint32Array.of(at).buffer))
      }
      if (random(8) === 0) {
        if (random(2)) length = random(2) ? random(300) : random(0xffffffff)
        if (random(4) === 0) kind = random(256)
        if (random(4) === 0) {
          flags = random(0x10000)
          const at = random(2) ? random(0xffffffff) : ARENA_OFFSET + random(0x180000)
          sent = Uint8Array.from(Buffer.from(Uint32Array.of(at).buffer))
        }
      }
      const reply = await raw.request(kind, sent, length, flags)
      if (reply) {
        assert.ok(reply.status <= 4, `status ${reply.status}`)
        counts.answered[reply.status]++
      }
    }
    await raw.end()
  }
  console.log(`\n${JSON.stringify(counts)}`)
  assert.ok(counts.frames > 20 * seconds, JSON.stringify(counts))
})

test.run()
