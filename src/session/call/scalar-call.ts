/**
 * Calls whose arguments are all scalars. Programs make them by the million, and the time that this thread needs for
 * each is most of their cost. So they have classes of their own with few fields, and blocking ones mostly need no
 * object at all.
 */
import { Exchange, type Port, type Sender } from '../../channel/exchange.js'
import type { Lane } from '../../channel/lane.js'
import { Kind, Reply } from '../../codec/layout.js'
import type { SessionCore } from '../core/core.js'
import { failWith } from '../core/windows-error.js'
import type { PreparedCall } from './prepared-call.js'
import { failureOf } from './reply.js'

abstract class ScalarCall extends Exchange {
  /**
   * The arguments as they were when the call was made, if it had to wait. (Only declared, so that the field is not made
   * for each call: most need none.)
   */
  declare snapshot?: readonly unknown[]

  constructor(
    protected readonly core: SessionCore,
    protected readonly call: PreparedCall,
    protected readonly args: readonly unknown[],
  ) {
    super()
  }

  override get label(): string {
    return this.call.label
  }

  override attempt(_sender: Sender, port: Port): boolean {
    return sendScalars(this.core, this.call, this.snapshot ?? this.args, port)
  }

  override keep(): void {
    const snapshot = this.call.snapshot(this.args)
    if (snapshot !== this.args) this.snapshot = snapshot
  }

  /** The result in the reply at offset `at`. Throws the error that the call failed with. */
  protected resultAt(at: number): unknown {
    if (this.thrown) throw this.thrown
    return decodeReply(this.core, this.call, this.args, at)
  }
}

/** A scalar call that settles a promise. */
export class AwaitedScalarCall extends ScalarCall {
  constructor(
    core: SessionCore,
    call: PreparedCall,
    args: readonly unknown[],
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super(core, call, args)
  }

  /**
   * Sends the request as soon as its turn comes. `Lane.submit` does the same for exchanges of all classes; here the
   * class is known, so that V8 need not look up `attempt` for each call.
   */
  submit(lane: Lane): void {
    const ring = lane.freeRing(false)
    if (ring && this.attempt(lane, ring)) lane.sent(this)
    else lane.submit(this)
  }

  override settle(_sender: Sender, at: number): void {
    let value: unknown
    try {
      value = this.resultAt(at)
    } catch (error) {
      failWith(this.core, error as Error, this.reject)
      return
    }
    this.resolve(value)
  }

  override fail(_sender: Sender, error: Error): void {
    failWith(this.core, error, this.reject)
  }
}

/** A scalar call that blocks this thread, and whose reply has not come within the first look. */
class BlockingScalarCall extends ScalarCall {
  #value: unknown
  #error: Error | undefined

  /**
   * Blocks this thread until the routine has returned. `sent`: whether the request is under way already. Throws the
   * error that the call failed with.
   */
  run(lane: Lane, sent: boolean): unknown {
    if (sent) lane.awaitSync(this)
    else lane.submitSync(this)
    if (this.#error) throw this.#error
    return this.#value
  }

  override settle(_sender: Sender, at: number): void {
    this.settled = true
    try {
      this.#value = this.resultAt(at)
    } catch (error) {
      this.#error = error as Error
    }
  }

  override fail(_sender: Sender, error: Error): void {
    this.#error = error
  }
}

/** Calls a routine and blocks this thread until it has returned. Throws the error that the call failed with. */
export function callBlocking(core: SessionCore, call: PreparedCall, args: readonly unknown[]): unknown {
  const { lane } = core
  const ring = lane.freeRing(true)
  const sent = ring !== undefined && sendScalars(core, call, args, ring)
  const at = sent ? lane.answered() : -1
  return at >= 0 ? decodeReply(core, call, args, at) : new BlockingScalarCall(core, call, args).run(lane, sent)
}

function sendScalars(core: SessionCore, call: PreparedCall, args: readonly unknown[], port: Port): boolean {
  const { builder } = core
  builder.begin()
  try {
    call.encode(builder, args)
    const length = builder.finish(call.number, call.count)
    return port.send(builder.encoder.message, length, Kind.call)
  } finally {
    builder.end()
  }
}

function decodeReply(core: SessionCore, call: PreparedCall, args: readonly unknown[], at: number): unknown {
  const failure = failureOf(core, call, at)
  if (failure) throw failure
  return call.decode(core.mapping.view, at + Reply.result, args, undefined)
}
