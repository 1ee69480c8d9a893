/**
 * What the Windows side gives Node: replies, outcomes, texts, callbacks and words of the shared memory, all of them possibly wrong.
 * Every call comes out as a value or an error of ours while the session lives, and at its end what is left fails with one of ours.
 */
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ZugbrueckeError } from 'zugbruecke'
import * as wire from '../../dist/src/codec/layout.js'
import { out } from '../../dist/src/ctypes/index.js'
import { outcome } from '../codec/outcome.js'
import { Random } from '../faults/random.js'
import type { Fuzzer } from './fuzzer.js'
import { type Arch, type Asked, damaged, Puppet, strange } from './puppet.js'

/** A DLL that is there: only its header is read. */
const DLLS = {
  win64: fileURLToPath(new URL('../../wine-host/native/bridge-win64.dll', import.meta.url)),
  win32: fileURLToPath(new URL('../../wine-host/native/bridge-win32.dll', import.meta.url)),
}
/** Nothing that is awaited may take as long, in milliseconds. */
const LIMIT = 20_000
const turn = () => new Promise(resolve => setImmediate(resolve))

type Act = (puppet: Puppet) => unknown

const ACTS: Readonly<Record<string, Act>> = {
  scalars: ({ surface }) =>
    library(surface).func('add', [surface.types.c_int, surface.types.c_double], surface.types.c_longlong)(1, 2),
  text: ({ surface }) => library(surface).func('text', [surface.types.c_int], surface.types.c_char_p)(1),
  'wide text': ({ surface }) => library(surface).func('wide', [], surface.types.c_wchar_p)(),
  'out parameters': ({ surface }) => {
    const { c_int, c_char_p, c_void_p, c_bool } = surface.types
    return library(surface).func('outs', [out(c_int), out(c_char_p), out(c_void_p)], c_bool)()
  },
  structure: ({ surface }) =>
    library(surface).func('shape', [shape(surface)], shape(surface))(new (shape(surface))() as never),
  'structure by reference': ({ surface }) => {
    const object = new (shape(surface))()
    const done = library(surface).func('fill', [surface.types.POINTER(shape(surface))], null)(object as never)
    return done.then(() => object)
  },
  'typed array': ({ surface }) => library(surface).func('fill', [surface.types.c_void_p], null)(new Float64Array(100)),
  pointer: ({ surface }) => library(surface).func('find', [], surface.types.POINTER(shape(surface)))(),
  'last error': ({ surface }) =>
    new surface.CDLL(DLLS[surface.arch], { use_last_error: true }).func('f', [], surface.types.c_int).detail(),
  oledll: ({ surface }) => surface.OleDLL(DLLS[surface.arch]).func('f', [], surface.types.HRESULT)(),
  callback: ({ surface }) => {
    const { CFUNCTYPE, c_int } = surface.types
    return library(surface).func('call', [CFUNCTYPE(c_int, c_int)], c_int)((value: number) => value)
  },
  'async callback': ({ surface }) => {
    const { CFUNCTYPE, c_int, c_char_p } = surface.types
    const inside = library(surface).func('text', [], c_char_p)
    return library(surface).func(
      'call',
      [CFUNCTYPE(c_int, c_char_p)],
      c_int,
    )((async () => {
      await inside()
      return 1
    }) as never)
  },
  batch: ({ surface }) =>
    library(surface)
      .func('add', [surface.types.c_int, surface.types.c_int], surface.types.c_int)
      .batch([[1, 2, 3], 4]),
  'batch with detail': ({ surface }) =>
    library(surface)
      .func('add', [surface.types.c_int], surface.types.c_double)
      .batch([[1, 2, 3, 4]], { detail: true, chunk: 2 }),
  'batch of texts': ({ surface }) =>
    library(surface)
      .func('text', [surface.types.c_char_p], surface.types.c_wchar_p)
      .batch([['a', 'b', null]]),
  'batch of structures': ({ surface }) =>
    library(surface)
      .func('shape', [surface.types.c_int], shape(surface))
      .batch([[1, 2]]),
  load: ({ surface }) => surface.cdll.LoadLibrary(DLLS[surface.arch]),
  'load by name': ({ surface }) => surface.windll.LoadLibrary('kernel32'),
  unload: async ({ surface }) => {
    const loaded = await surface.cdll.LoadLibrary(DLLS[surface.arch])
    await loaded.unload()
  },
  alloc: async ({ surface }) => {
    const memory = await surface.memory.alloc(16)
    memory.write(Uint8Array.of(1, 2, 3))
    const bytes = memory.read()
    await memory.free()
    return bytes
  },
  'alloc of a type': async ({ surface }) => (await surface.memory.alloc(shape(surface))).contents,
  FormatError: ({ surface }) => surface.FormatError(5),
  WinError: ({ surface }) => surface.WinError(5),
  GetLastError: ({ surface }) => surface.GetLastError(),
  set_last_error: ({ surface }) => surface.set_last_error(5),
  find_library: ({ surface }) => surface.util.find_library('kernel32'),
  find_msvcrt: ({ surface }) => surface.util.find_msvcrt(),
  pathUnixToWine: ({ surface }) => surface.pathUnixToWine('/tmp'),
  pathWineToUnix: ({ surface }) => surface.pathWineToUnix('C:\\'),
  add_dll_directory: async ({ surface }) => {
    const folder = await surface.add_dll_directory('/tmp')
    await folder.close()
  },
}
type Surface = Puppet['surface']
const library = (surface: Surface) => surface.CDLL(DLLS[surface.arch])

const shapes = new Map<Arch, ReturnType<typeof makeShape>>()
function makeShape({ types }: Surface) {
  const { Structure, POINTER, c_int, c_char_p, c_wchar_p, c_double, c_void_p } = types
  return class Shape extends Structure({
    a: c_int,
    text: c_char_p,
    wide: c_wchar_p,
    list: POINTER(c_int),
    x: c_double,
    p: c_void_p,
  }) {}
}
function shape(surface: Surface) {
  const known = shapes.get(surface.arch) ?? makeShape(surface)
  shapes.set(surface.arch, known)
  return known
}

/** The host's part: what it does next is a matter of chance. */
class Host {
  /** Numbers of callbacks that Node has told of. */
  readonly #callbacks: number[] = []
  /** Requests that are carried out, the latest last: those before it wait in callbacks. */
  readonly #running: Asked[] = []
  constructor(
    private readonly puppet: Puppet,
    private readonly random: Random,
    /** Of how many answers one is wrong. */
    private readonly one: number,
  ) {}

  /** False where there is nothing to do. */
  step(): boolean {
    const { puppet, random } = this
    const said = puppet.heard(0)
    if (said && this.#inCallback) {
      this.#inCallback = false
      if (said.kind === wire.Kind.return) return true
      this.#answerNested(said)
      return true
    }
    if (this.#inCallback) return this.#disturb()
    const asked = this.#running.pop() ?? puppet.take()
    if (!asked) return this.#disturb()
    if (asked.kind !== wire.Kind.control && this.#callbacks.length > 0 && random.below(3) > 0) {
      this.#running.push(asked)
      this.#callBack()
    } else this.#answer(asked)
    this.#disturb()
    return true
  }
  #inCallback = false

  get #wrong(): boolean {
    return this.random.below(this.one) === 0
  }

  #callBack(): void {
    const { puppet, random } = this
    const number = this.#wrong ? strange(random) : random.of(this.#callbacks)
    const values = Array.from({ length: this.#wrong ? random.below(260) : 1 }, () => this.#address())
    const count = this.#wrong ? strange(random) : values.length
    puppet.callback(0, number, values.slice(0, 240), count, this.#wrong ? random.below(256) : undefined)
    this.#inCallback = true
  }

  #answer(asked: Asked): void {
    const { puppet, random } = this
    const number = this.#wrong && random.below(4) === 0 ? strange(random) : asked.reply
    if (asked.kind === wire.Kind.control) {
      const control = puppet.control(asked)
      const bytes = this.#outcomeOf(control)
      const room = Number(control.room())
      const fits = room >= wire.ARENA_OFFSET && room + bytes.length <= puppet.segment.size
      if (fits) puppet.mapping.u8.set(bytes, room)
      const length = this.#wrong ? strange(random) : bytes.length
      puppet.reply(number, this.#status(), 0, 0n, BigInt(length))
    } else {
      const [status, code, texts, result] = this.#resultOf(asked)
      puppet.reply(number, status, code, texts, result)
    }
  }

  #answerNested(asked: Asked): void {
    const { puppet, random } = this
    this.#inCallback = true
    if (asked.kind === wire.Kind.control) {
      const bytes = this.#outcomeOf(puppet.control(asked))
      puppet.post(
        0,
        this.#wrong ? random.below(256) : wire.Kind.outcome,
        bytes,
        this.#wrong ? strange(random) : bytes.length,
      )
      return
    }
    const [status, code, texts, result] = this.#resultOf(asked)
    const message = new Uint8Array(wire.Reply.size)
    const view = new DataView(message.buffer)
    wire.REPLY_HEAD.forEach((word, i) => view.setUint32(4 * i, word, true))
    view.setUint32(wire.Reply.status, status, true)
    view.setUint32(wire.Reply.code, code, true)
    view.setBigUint64(wire.Reply.texts, texts, true)
    view.setBigUint64(wire.Reply.result, BigInt.asUintN(64, result), true)
    puppet.post(0, this.#wrong ? random.below(256) : wire.Kind.reply, message)
  }

  #status(): number {
    return this.#wrong ? this.random.of([1, 2, 3, 4, 5, 0xffffffff]) : 0
  }

  #resultOf({ at, kind }: Asked): [status: number, code: number, texts: bigint, result: bigint] {
    const { puppet, random } = this
    const { view } = puppet.mapping
    if (kind === wire.Kind.batch) {
      const rows = view.getUint32(at + wire.Batch.rows, true)
      const failed = this.#wrong ? strange(random) : random.below(Math.min(rows, 3) + 1)
      this.#fillFailures(Number(view.getBigUint64(at + wire.Batch.errors, true)), Math.min(rows, failed))
      const [texts, room] = [
        view.getBigUint64(at + wire.Batch.texts, true),
        view.getUint32(at + wire.Batch.textRoom, true),
      ]
      return [this.#status(), failed, this.#texts(texts, room, rows * 2), BigInt(this.#wrong ? strange(random) : rows)]
    }
    const [texts, room] = [view.getBigUint64(at + wire.Call.texts, true), view.getUint32(at + wire.Call.textRoom, true)]
    return [this.#status(), this.#wrong ? strange(random) : 0, this.#texts(texts, room, 4), this.#address()]
  }

  #fillFailures(address: number, count: number): void {
    const { puppet, random } = this
    const at = address - puppet.base
    const words = new DataView(puppet.mapping.buffer as ArrayBuffer)
    for (let i = 0; i < count; i++) {
      const record = at + i * wire.ROW_FAILURE_SIZE
      if (record < wire.ARENA_OFFSET || record + wire.ROW_FAILURE_SIZE > puppet.segment.size) return
      words.setUint32(record, this.#wrong ? strange(random) : i, true)
      words.setUint32(
        record + 4,
        random.of([0xc0000005, 0xc0000094, 0x80000100, wire.EXCEPTION_UNBALANCED, strange(random)]),
        true,
      )
      words.setBigUint64(record + 8, this.#address(), true)
    }
  }

  /** Writes texts into the room that came with a request; where they are. */
  #texts(address: bigint, room: number, count: number): bigint {
    const { puppet, random } = this
    if (this.#wrong) return this.#address()
    const at = Number(address) - puppet.base
    if (address === 0n || at < wire.ARENA_OFFSET || at + room > puppet.segment.size) return 0n
    const { view } = puppet.mapping
    const size = Math.min(room, wire.Texts.records + wire.Texts.recordSize * count + 64)
    view.setUint32(at, this.#wrong ? strange(random) : size, true)
    for (let i = 0; i < count; i++) {
      const record = at + wire.Texts.records + wire.Texts.recordSize * i
      if (record + 8 > at + size) break
      const offset = this.#wrong ? strange(random) : random.of([0, size - 16, wire.Texts.unreadable])
      view.setUint32(record, offset, true)
      view.setUint32(record + 4, this.#wrong ? strange(random) : random.below(16), true)
    }
    return address
  }

  /** In the arena, nowhere, anywhere. */
  #address(): bigint {
    const { puppet, random } = this
    const inside =
      BigInt(puppet.base) + BigInt(wire.ARENA_OFFSET + random.below(puppet.segment.size - wire.ARENA_OFFSET))
    const near = BigInt(puppet.base + puppet.segment.size - random.below(40))
    return random.of([
      0n,
      1n,
      inside,
      inside & ~7n,
      near,
      BigInt(strange(random)),
      0xffff_ffff_ffff_ffffn,
      0x7fff_ffff_ffff_ffffn,
    ])
  }

  #outcomeOf(control: ReturnType<Puppet['control']>): Uint8Array {
    const { puppet, random } = this
    const op = control.op()
    if (op === wire.Op.thunk) this.#callbacks.push(Number(control.numbers(0)))
    const good: { readonly [op: number]: readonly [numbers: readonly bigint[], texts: readonly string[]] } = {
      [wire.Op.load]: [[1n], ['C:\\x.dll']],
      [wire.Op.declare]: [[1n], []],
      [wire.Op.thunk]: [[0x1234_5670n], []],
      [wire.Op.alloc]: [[BigInt(puppet.base + wire.ARENA_OFFSET)], []],
      [wire.Op.getLastError]: [[1n, 2n, 3n], []],
      [wire.Op.formatError]: [[5n], ['Access denied']],
      [wire.Op.findLibrary]: [[1n], ['x']],
      [wire.Op.findMsvcrt]: [[1n], ['x']],
      [wire.Op.path]: [[], ['/']],
      [wire.Op.addDllDirectory]: [[7n], []],
    }
    const [numbers, texts] = good[op] ?? [[], []]
    if (!this.#wrong) return outcome(true, numbers, texts)
    const some = <T>(make: () => T) => Array.from({ length: random.below(4) }, make)
    const other = outcome(
      random.below(4) > 0,
      some(() => BigInt.asIntN(64, this.#address())),
      some(() =>
        random.of([
          '',
          'DllNotFound',
          'RoutineNotFound',
          'Argument',
          'Windows',
          'Memory',
          'Version',
          'Internal',
          'x'.repeat(300),
          '\ud800',
        ]),
      ),
    )
    return random.below(2) > 0 ? other : damaged(outcome(true, numbers, texts), random)
  }

  /** Writes over words that steer, and over memory of calls. */
  #disturb(): boolean {
    const { puppet, random } = this
    if (!this.#wrong) return false
    const { i32 } = puppet.mapping
    const words = [
      wire.ControlWord.running,
      wire.ControlWord.runningThread,
      wire.ControlWord.runningRow,
      wire.ControlWord.hostSleeps,
      wire.ControlWord.apart,
      wire.THREAD_OFFSET + wire.CALLER_THREAD * wire.THREAD_SIZE + wire.ThreadWord.posted,
      wire.THREAD_OFFSET + wire.CALLER_THREAD * wire.THREAD_SIZE + wire.ThreadWord.open,
      wire.STRAND_OFFSET + random.below(wire.STRANDS) * wire.STRAND_SIZE + 4 * random.below(8),
      wire.REPLY_OFFSET + wire.CALLER_THREAD * wire.REPLIES_SIZE + 4 * random.below(64),
      ...Array.from({ length: 4 }, () => wire.ARENA_OFFSET + 4 * random.below(0x4000)),
    ]
    i32[random.of(words) >> 2] = strange(random)
    return false
  }
}

interface Input {
  readonly arch: Arch
  readonly acts: readonly string[]
  readonly seed: number
  readonly one: number
}

/** What came of something awaited; throws where that is an error of others. */
async function settled(name: string, promise: unknown): Promise<'taken' | 'refused'> {
  const ours = (error: unknown) => {
    if (!(error instanceof ZugbrueckeError)) throw new Error(`${name}: raw ${(error as Error)?.stack ?? error}`)
    return 'refused' as const
  }
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return ours(error)
  }
  try {
    inspect(value, { depth: 5 })
    if (typeof value === 'object' && value !== null && 'contents' in value) inspect(value.contents)
  } catch (error) {
    return ours(error)
  }
  return 'taken'
}

async function play({ arch, acts, seed, one }: Input): Promise<'taken' | 'refused'> {
  const puppet = new Puppet(arch)
  const host = new Host(puppet, new Random(seed), one)
  const all: Promise<'taken' | 'refused'>[] = []
  let left = acts.length
  try {
    for (const name of acts) {
      const begun = (async () => ACTS[name](puppet))()
      all.push(settled(name, begun).finally(() => left--))
      all.at(-1)?.catch(() => {})
    }
    for (let idle = 0; left > 0 && idle < 4; ) {
      idle = host.step() ? 0 : idle + 1
      puppet.ring()
      await turn()
    }
  } finally {
    puppet.end()
  }
  const late = new Promise<never>((_, reject) => setTimeout(reject, LIMIT, new Error('not all is settled')).unref())
  const outcomes = await Promise.race([Promise.all(all), late])
  for (const error of puppet.strayed) assert.instance(error, ZugbrueckeError, String(error.stack))
  return outcomes.includes('taken') ? 'taken' : 'refused'
}

export const answers: Fuzzer<Input> = {
  name: 'replies, outcomes, texts and callbacks of the Windows side',
  inputs: fc.record({
    arch: fc.constantFrom<Arch>('win64', 'win32'),
    acts: fc.array(fc.constantFrom(...Object.keys(ACTS)), { minLength: 1, maxLength: 5 }),
    seed: fc.nat(),
    one: fc.constantFrom(3, 8, 30),
  }),
  act: play,
  few: 200,
  kept: [],
}
