/**
 * Blocking calls whose arguments are scalars, objects that live in memory that both sides see, and small typed arrays.
 * Most blocking calls with memory are of this kind. `CallExchange` makes all others.
 */
import { Exchange, type Port, type Sender } from '../../channel/exchange.js'
import type { Lane } from '../../channel/lane.js'
import type { CallBuilder } from '../../codec/call-builder.js'
import { ARENA_OFFSET, Kind, Reply, Status } from '../../codec/layout.js'
import { SmallBuffers } from '../../codec/small-buffers.js'
import type { LocalBlock } from '../../ctypes/block.js'
import type { SessionCore } from '../core/core.js'
import { mayHoldFunction } from './exchange.js'
import type { PreparedCall } from './prepared-call.js'
import { failureOf } from './reply.js'

/** Says that nothing was sent: `CallExchange` has to make the call. */
export const NOT_DIRECT = Symbol('not direct')

const NONE: readonly LocalBlock[] = []

/**
 * Calls a routine and blocks this thread until it has returned. Throws the error that the call failed with. Returns
 * NOT_DIRECT, with nothing sent, if the call is not of this kind or something is in the way.
 */
export function callDirect(core: SessionCore, call: PreparedCall, args: readonly unknown[]): unknown {
  const { lane, builder } = core
  for (let i = 0; i < args.length; i++) if (mayHoldFunction(args[i])) return NOT_DIRECT
  const ring = lane.freeRing(true)
  if (!ring) return NOT_DIRECT
  let at: number | undefined
  builder.begin()
  builder.acceptsSmall = true
  try {
    at = send(core, call, args, builder, ring)
  } finally {
    builder.acceptsSmall = false
    builder.end()
  }
  if (at === undefined) return NOT_DIRECT
  const replied = lane.answered()
  if (replied >= 0) return finish(core, call, args, builder.small, at, builder.moved, replied, undefined)
  return new DirectCall(core, call, args, builder, at).run(lane)
}

/**
 * Sends the call. Returns the offset of its small arrays in the arena, -1 if it has none; undefined if it was not sent.
 */
function send(
  core: SessionCore,
  call: PreparedCall,
  args: readonly unknown[],
  builder: CallBuilder,
  ring: Port,
): number | undefined {
  const { lane, mapping, objects } = core
  const { small, moved, encoder } = builder
  small.clear()
  call.encode(builder, args)
  if (builder.image || (moved.length > 0 && objects.lodgers(moved).length > 0)) return undefined
  let at = -1
  if (small.count > 0) {
    if (lane.lent.size > 0 && small.some(buffer => lane.lent.has(buffer))) return undefined
    at = lane.arena.allocate(small.size)
    if (at < ARENA_OFFSET) return undefined
    small.put(mapping.i32, mapping.u8, at, core.facts.base + at, encoder)
  }
  const length = builder.finish(call.number, call.count)
  if (ring.send(encoder.message, length, Kind.call)) return at
  if (at >= 0) lane.arena.free(at, small.size)
  return undefined
}

/** A direct call whose reply has not come within the first look. */
class DirectCall extends Exchange {
  readonly #small: SmallBuffers
  readonly #moved: readonly LocalBlock[]
  readonly #lent: ArrayBufferLike[]
  #value: unknown
  #error: Error | undefined

  constructor(
    private readonly core: SessionCore,
    private readonly call: PreparedCall,
    private readonly args: readonly unknown[],
    builder: CallBuilder,
    private readonly at: number,
  ) {
    super()
    const { lane } = core
    this.#moved = builder.moved.length > 0 ? builder.moved.slice() : NONE
    this.#small = builder.small
    // calls that callbacks of this one make get another list
    builder.small = new SmallBuffers()
    this.#lent = this.#small.owners()
    for (const buffer of this.#lent) lane.lent.add(buffer)
  }

  override get label(): string {
    return this.call.label
  }

  run(lane: Lane): unknown {
    lane.awaitSync(this)
    if (this.#error) throw this.#error
    return this.#value
  }

  override attempt(_sender: Sender, _port: Port): boolean {
    // the request was sent before this object was made
    return true
  }

  override interrupted(): void {
    this.#small.remember()
  }

  override settle(lane: Sender, replied: number): void {
    this.settled = true
    for (const buffer of this.#lent) lane.lent.delete(buffer)
    try {
      this.#value = finish(this.core, this.call, this.args, this.#small, this.at, this.#moved, replied, this.thrown)
    } catch (error) {
      this.#error = error as Error
    }
  }

  override fail(lane: Sender, error: Error): void {
    for (const buffer of this.#lent) lane.lent.delete(buffer)
    if (this.at >= 0) lane.arena.free(this.at, this.#small.size)
    this.#error = error
  }
}

function finish(
  core: SessionCore,
  call: PreparedCall,
  args: readonly unknown[],
  small: SmallBuffers,
  at: number,
  moved: readonly LocalBlock[],
  replied: number,
  thrown: Error | undefined,
): unknown {
  const { mapping, lane, objects } = core
  const { view } = mapping
  const elsewhere = moved.length > 0 ? objects.updatePointers(moved) : undefined
  if (at >= 0) {
    lane.arena.free(at, small.size)
    if (view.getUint32(replied + Reply.status, true) <= Status.exception) small.readBack(mapping.i32, mapping.u8, at)
  }
  if (moved.length > 0) objects.provide()
  const failure = thrown ?? failureOf(core, call, replied)
  if (failure) throw failure
  return call.decode(view, replied + Reply.result, args, undefined, elsewhere)
}
