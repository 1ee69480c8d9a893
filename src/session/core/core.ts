/**
 * What one thread needs to use a session: its lane, the memory of the Windows process, control messages, and what this
 * thread has loaded and declared. The thread that started the session, threads that joined it and the worker for jobs
 * each have a core, and only that thread may use it.
 */
import type { Exchange } from '../../channel/exchange.js'
import { Heap } from '../../channel/heap.js'
import { HostWatch } from '../../channel/host-watch.js'
import { Lane } from '../../channel/lane.js'
import { Mapping } from '../../channel/mapping.js'
import { MemoryWindow } from '../../channel/memory-window.js'
import { ProcessMemory } from '../../channel/remote-memory.js'
import { Life, type SharedState } from '../../channel/shared.js'
import { TimeLimit } from '../../channel/time-limit.js'
import { Turn } from '../../channel/turns.js'
import { CallBuilder } from '../../codec/call-builder.js'
import { numberOf, type Outcome } from '../../codec/control.js'
import { createEncoder } from '../../codec/encoder.js'
import { Op } from '../../codec/layout.js'
import { Callback, type CallbackClass } from '../../ctypes/callback-type.js'
import type { CallContext } from '../../ctypes/context.js'
import type { Encoding } from '../../ctypes/encoding.js'
import type { Directive } from '../../ctypes/memsync.js'
import { SessionStartError } from '../../errors.js'
import { CallbackRunner } from './callback-runner.js'
import { collectGarbage } from './collector.js'
import { Control } from './control.js'
import { Declarations } from './declarations.js'
import { SessionEnding } from './ending.js'
import type { SessionFacts } from './facts.js'
import { LoadedDlls } from './loaded-dlls.js'
import { Objects } from './objects.js'
import { Reserve } from './reserve.js'
import { encodingFor } from './text-encoding.js'
import { Thunks } from './thunks.js'
import { hresultError } from './windows-error.js'

/** Copies of memory of the DLL's for as long as a callback runs. */
export interface Loan {
  /** To be called when the callback has returned: writes back what it has changed. */
  end(): void
}

/**
 * Carries out the memsync directives of a callback's type: makes pointers in `args` lead to copies here. Throws
 * ArgumentError, MemoryAccessError.
 */
export type Lend = (directives: readonly Directive[], type: CallbackClass, args: unknown[], core: SessionCore) => Loan

export interface CoreOptions {
  readonly facts: SessionFacts
  /** This thread's number in the session: see channel/threads.ts. */
  readonly thread: number
  readonly shared: SharedState
  readonly lend: Lend
  /** Told of errors of callbacks that no call fails with. */
  readonly onCallbackError: (error: Error) => void
  /** Called once, when this thread first sees that the session is dead. */
  readonly onDeath?: () => void
}

/** The callback for a function among the arguments of a call: that in `wrapped`, or a new one, which is added there. */
function wrap(wrapped: Callback[], type: CallbackClass, fn: Callback['fn']): Callback {
  const known = wrapped.find(callback => callback.type === type && callback.fn === fn)
  if (known) return known
  const callback = new Callback(type, fn)
  wrapped.push(callback)
  return callback
}

export class SessionCore {
  readonly shared: SharedState
  /** This thread's view of what is shared with the Windows process. */
  readonly mapping: Mapping
  readonly lane: Lane
  readonly memory: ProcessMemory
  /** What types need to know of this session. */
  readonly context: CallContext
  /** The first of the builders: see `builder`. */
  readonly #builder: CallBuilder
  readonly thunks = new Thunks(this)
  readonly control = new Control(this)
  readonly dlls = new LoadedDlls(this)
  readonly declarations = new Declarations(this)
  /** Objects in memory that both sides see. */
  readonly objects: Objects
  /** Incomplete until the Windows side has answered HELLO. */
  #facts: SessionFacts
  /** Windows' last error and C's errno after the last call of this thread to a routine that keeps them. */
  lastError = 0
  errno = 0
  /** Milliseconds; Infinity is no limit. */
  timeoutCall: number
  timeoutStop: number
  /** How `char *` is read and written. */
  #encoding!: Encoding
  readonly #ending: SessionEnding

  constructor(private readonly options: CoreOptions) {
    const { facts, thread } = options
    this.#facts = facts
    this.timeoutCall = facts.timeoutCall
    this.timeoutStop = facts.timeoutStop
    this.shared = options.shared
    this.#ending = new SessionEnding(facts, this.shared, () => this.lane.heard())
    this.mapping = new Mapping(facts.segment, this.shared, thread)
    const encoder = createEncoder()
    this.memory = new ProcessMemory(facts.id, facts.pid, () => this.shared.life() !== Life.dead)
    this.encoding = facts.encoding
    this.context = this.contextFor(undefined)
    this.memory.thunkFor = callback => this.thunks.addressNow(callback)
    if (facts.memoryByHost) this.lookThroughHost()
    this.lane = new Lane({
      mapping: this.mapping,
      state: this.shared,
      segment: facts.segment,
      thread,
      encoder,
      turn: new Turn(facts.turns, facts.number, this.mapping, this.shared),
      onCallback: new CallbackRunner(this).run,
      deathError: (exchange: Exchange | undefined) => this.deathError(exchange),
      watch: new HostWatch(
        this.mapping,
        this.shared,
        facts.segment,
        () => this.facts.server,
        () => this.timeoutStop,
      ),
      giveUp: reason => this.#ending.end(reason),
      onDeath: () => {
        this.thunks.end()
        this.memory.close()
        options.onDeath?.()
      },
    })
    const { arena } = this.lane
    const heap = new Heap(arena, collectGarbage)
    const reserve = new Reserve(arena.size, (size, got) => this.#requestForObjects(size, got))
    this.objects = new Objects(
      this.memory,
      this.mapping,
      facts.segment,
      heap,
      reserve,
      arena.size / 2,
      facts.pointerSize,
    )
    this.memory.objects = this.objects
    this.#findShared()
    this.#builder = new CallBuilder(encoder, this.memory, facts.pointerSize)
  }

  /** A builder in which no call is being put together. */
  get builder(): CallBuilder {
    return this.#builder.free
  }

  get facts(): SessionFacts {
    return this.#facts
  }
  set facts(facts: SessionFacts) {
    this.#facts = facts
    this.#findShared()
  }

  /** Once the segment's address in the Windows process is known, memory in the segment is read and written directly. */
  #findShared(): void {
    const { base } = this.#facts
    if (base === 0) return
    this.objects.base = base
    this.memory.share(this.mapping.u8, base)
  }

  lend(directives: readonly Directive[], type: CallbackClass, args: unknown[]): Loan {
    return this.options.lend(directives, type, args, this)
  }

  /** Reports an error of a callback that no call fails with. */
  stray(error: Error): void {
    this.options.onCallbackError(error)
  }

  #requestForObjects(size: number, got: (address: number) => void): void {
    const allocated = (outcome: Outcome) => got(Number(numberOf(outcome)))
    // where the Windows process has no memory, `got` is not called: objects that find no room fail with their own error
    this.control.submit('memory for objects', Op.alloc, [size], [], allocated, () => {})
  }

  /**
   * The name of the encoding in which `char *` is read and written. Setting it throws ConfigError as `encodingFor`
   * does.
   */
  get encoding(): string {
    return this.#encoding.name
  }
  set encoding(name: string) {
    this.#encoding = encodingFor(name)
    this.memory.encoding = this.#encoding
  }
  get textEncoding(): Encoding {
    return this.#encoding
  }

  /**
   * A context for one call. Functions given as callbacks are collected in `wrapped`, where a second attempt finds them
   * again.
   */
  contextFor(wrapped: Callback[] | undefined): CallContext {
    return {
      memory: this.memory,
      windowsError: hresultError,
      ...(wrapped ? { wrapCallback: (type, fn) => wrap(wrapped, type, fn) } : {}),
    }
  }

  /** From now on the host copies memory for this thread, which may not do so itself. */
  lookThroughHost(): void {
    const { memory, thread } = this
    memory.window = new MemoryWindow(this.mapping, this.shared, this.facts.segment, thread, () => memory.assertAlive())
  }

  get thread(): number {
    return this.options.thread
  }

  get alive(): boolean {
    return this.shared.life() === Life.up
  }

  /** Throws unless calls can be made now: SessionStartError before the session is up, later the error of its end. */
  assertAlive(): void {
    const life = this.shared.life()
    if (life === Life.dead) throw this.deathError(undefined)
    if (life === Life.starting)
      throw new SessionStartError(`session ${this.facts.id} is not up yet: await session.ready, or use awaited calls`)
  }

  /** A time limit for something under way; undefined for Infinity. See TimeLimit for `passed`. */
  limit(milliseconds: number, passed: () => number | undefined): TimeLimit | undefined {
    return milliseconds === Number.POSITIVE_INFINITY ? undefined : new TimeLimit(this.lane.limits, milliseconds, passed)
  }

  /**
   * Kills the Windows process now, since nothing else ends a routine that runs. `reason` is one of `EndReason`; `error`
   * is the cause of the errors that requests fail with from now on.
   */
  kill(reason: number, error: Error): void {
    this.#ending.kill(reason, error)
  }

  /** What a request fails with, now that the session is dead; `exchange` is the one that was running. */
  deathError(exchange: Exchange | undefined): Error {
    return this.#ending.error(exchange)
  }
}
