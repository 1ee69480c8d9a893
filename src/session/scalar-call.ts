/**
 * A call whose arguments are scalars alone, awaited: nothing is memory, nothing is lent, so it holds little. A program makes
 * these by the thousand without awaiting, and what each costs this thread is then all that counts.
 */
import { Exchange, type Port } from '../channel/exchange.js'
import type { Lane } from '../channel/lane.js'
import { Kind, MESSAGE, Reply } from '../codec/layout.js'
import type { SessionCore } from './core.js'
import type { PreparedCall } from './prepared-call.js'
import { failureOf } from './reply.js'

export class ScalarCall extends Exchange {
  /** The arguments as they were, where it had to wait. (Declared only: most have no need of the room.) */
  declare taken?: readonly unknown[]

  constructor(
    private readonly core: SessionCore,
    private readonly call: PreparedCall,
    private readonly args: readonly unknown[],
    private readonly resolve: (value: unknown) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super()
  }

  override get label(): string {
    return this.call.label
  }

  /**
   * Sends it at once if nothing is in the way. The lane could do that, too, but it sends requests of many classes, and would have
   * to look up for each what this knows.
   */
  submit(lane: Lane): void {
    const ring = lane.freeRing
    if (ring && this.attempt(lane, ring)) lane.sent(this)
    else lane.submit(this)
  }

  override attempt(_lane: Lane, port: Port): boolean {
    const { call, core } = this
    const { builder } = core
    builder.begin()
    call.encode(builder, this.taken ?? this.args)
    const length = builder.finish(call.number, call.count)
    return port.send(builder.scratch + MESSAGE, length, Kind.call)
  }

  override keep(): void {
    const taken = this.call.take(this.args)
    if (taken !== this.args) this.taken = taken
  }

  override settle(_lane: Lane, at: number): void {
    const { core, call } = this
    let value: unknown
    try {
      const failure = this.thrown ?? failureOf(core, call, at)
      if (failure) {
        this.reject(failure)
        return
      }
      value = call.decode(core.shared.view, at + Reply.result, this.args, undefined)
    } catch (error) {
      this.reject(error as Error)
      return
    }
    this.resolve(value)
  }

  override fail(_lane: Lane, error: Error): void {
    this.reject(error)
  }
}
