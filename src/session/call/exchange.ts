/** One call of a routine whose arguments may be memory or callbacks, from its JS arguments to its JS result. */

import { AsyncResource } from 'node:async_hooks'
import { Exchange, type Port, type Sender, sendFromArena } from '../../channel/exchange.js'
import { numberOf } from '../../codec/control.js'
import type { Image } from '../../codec/image.js'
import { ARENA_OFFSET, Kind, Op, Reply, Status } from '../../codec/layout.js'
import type { LocalBlock } from '../../ctypes/block.js'
import type { ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import { CData } from '../../ctypes/data.js'
import { ByReference } from '../../ctypes/pointing.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import { ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import type { PreparedCall } from './prepared-call.js'
import { failureOf } from './reply.js'
import { TextRoom } from './text-room.js'

/** What a call brought: the value, and what `detail` tells beside it. */
export type Settle = (error: Error | undefined, value: unknown, lastError: number, errno: number) => void

const UNKNOWN = -1
const NONE: readonly LocalBlock[] = []

/** Bytes from which on it pays to have the same memory again. */
const LARGE = 8192
/** What memory of the arena, and the host's, lies at a multiple of. */
const ALIGNED = 16

export class CallExchange extends Exchange {
  #image: Image | undefined
  /** Memory that the plan made for the result. */
  #room: ResultRoom | undefined
  #base = 0
  /** Arena taken, by offset and size; -1 none. */
  #at = UNKNOWN
  #messageAt = UNKNOWN
  #messageSize = 0
  #size = 0
  /** Whose bytes most of it are, where that is much. */
  #owner: ArrayBufferLike | undefined
  /** Memory of the host's own, for what the arena cannot hold. */
  #borrowed: number | undefined
  #asked = false
  #failure: Error | undefined
  #texts: TextRoom | undefined
  #lent: ArrayBufferLike[] | undefined
  /** Objects that it was given, in memory that both sides see; they stay alive until it has returned. */
  #moved: readonly LocalBlock[] = NONE
  /** What they lead to that is copied there, and back. */
  #lodgers: readonly LocalBlock[] = NONE
  #wrapped: Callback[] | undefined
  /** Where it was called: functions among its arguments become callbacks of that context, also where it has to wait. */
  readonly #context: AsyncResource | undefined
  /** The arguments as they were when it was called, where it had to wait. */
  #snapshot: readonly unknown[] | undefined

  constructor(
    private readonly core: SessionCore,
    private readonly call: PreparedCall,
    private readonly args: readonly unknown[],
    private readonly done: Settle,
  ) {
    super()
    if (!call.plain && args.some(mayHoldFunction))
      this.#context = new AsyncResource('zugbruecke.Call', { requireManualDestroy: true })
  }

  override get label(): string {
    return this.call.label
  }

  override attempt(lane: Sender, port: Port): boolean {
    if (this.#failure) throw this.#failure
    const { core, call } = this
    const { builder } = core
    builder.begin()
    const args = this.#snapshot ?? this.args
    this.#room = this.#context
      ? this.#context.runInAsyncScope(() => call.encode(builder, args, (this.#wrapped ??= [])))
      : call.encode(builder, args)
    const length = builder.finish(call.number, call.count)
    const { image } = builder
    const nested = port.nested === true
    if (image) {
      if (image.callbacks.length > 0 && !core.callbacks.provide(image.callbacks, port)) return false
      if (image.callbacks.length > 0) return this.attempt(lane, port)
      if (!nested && image.blocks.some(block => block.writable && lane.lent.has(block.bytes.buffer))) return false
    }
    const lodgers = builder.moved.length > 0 ? core.objects.lodgers(builder.moved) : NONE
    if (!nested && lodgers.some(block => block.writable && lane.lent.has(block.bytes.buffer))) return false
    call.verify?.()
    const imageSize = image?.size ?? 0
    const alignment = image?.alignment ?? 1
    const messageInArena = length > port.room
    if (imageSize > 0) {
      const spare = alignment > ALIGNED ? alignment : 0
      if (!this.#place(lane, port, imageSize + spare, image)) return false
    }
    if (messageInArena && !this.#placeMessage(lane, nested, length)) return this.#giveUp(lane)
    if (image && imageSize > 0) {
      const from = this.#borrowed ?? core.facts.base + this.#at
      this.#base = Math.ceil(from / alignment) * alignment
      builder.relocate(this.#base)
      this.#writeImage(image)
    }
    if (call.textCount > 0) {
      this.#texts ??= new TextRoom(core)
      this.#texts.place(lane, call.textLengths.call(call.textCount))
      builder.giveRoom(this.#texts.address, this.#texts.size)
    }
    for (const block of lodgers) core.objects.fill(block)
    const { message } = core.encoder
    const sent = messageInArena
      ? sendFromArena(lane, port, new Uint8Array(message.buffer, 0, length), this.#messageAt, Kind.call)
      : port.send(message, length, Kind.call)
    if (!sent) return this.#giveUp(lane)
    if (image && imageSize > 0) {
      this.#image = image
      this.#lend(lane, image.blocks)
    }
    if (builder.moved.length > 0) this.#moved = builder.moved.slice()
    if (lodgers.length > 0) {
      this.#lodgers = lodgers
      this.#lend(lane, lodgers)
    }
    return true
  }

  override keep(): void {
    this.#snapshot = this.call.snapshot(this.args)
  }

  override interrupted(): void {
    this.#image?.remember()
  }

  override settle(lane: Sender, at: number): void {
    const { core, call } = this
    const { view } = core.mapping
    let error: Error | undefined
    let value: unknown
    const lastError = view.getUint32(at + Reply.lastError, true)
    const errno = view.getInt32(at + Reply.errno, true)
    try {
      const image = this.#image
      const moved = this.#moved
      for (const block of this.#lodgers) core.objects.takeBack(block)
      const elsewhere = moved.length > 0 ? core.objects.settle(moved) : undefined
      if (image && view.getUint32(at + Reply.status, true) <= Status.exception) {
        this.#readImage(image)
        image.settle(this.#base, elsewhere)
      }
      const texts = this.#takeTexts(at)
      error = this.thrown ?? failureOf(core, call, at)
      if (!error) {
        const inside = image
          ? (address: bigint) => image.find(Number(address - BigInt(this.#base))) ?? elsewhere?.(address)
          : elsewhere
        const result = at + Reply.result
        // one that leads into the call's own memory, as strchr's does, leads to the JS object that was given
        const target = inside && call.pointsBack ? inside(view.getBigUint64(result, true)) : undefined
        value = target
          ? call.pointTo?.(target, this.args, this.#room)
          : call.decode(view, result, this.args, this.#room, inside, texts)
      }
    } catch (thrown) {
      error = thrown as Error
    }
    this.#finish(lane)
    if (this.#moved.length > 0) core.objects.provide()
    this.settled = true
    this.done(error, value, lastError, errno)
  }

  #takeTexts(at: number): TakenTexts | undefined {
    const { call } = this
    const taken = this.#texts?.read(call.label, at, call.textCount)
    if (taken) call.textLengths.cameFromCall(taken.size, call.textCount)
    return taken?.texts
  }

  override fail(lane: Sender, error: Error): void {
    this.#finish(lane)
    this.done(error, undefined, 0, 0)
  }

  /** Finds room for what does not fit the slot; false if it has to wait. */
  #place(lane: Sender, port: Port, size: number, image: Image | undefined): boolean {
    if (this.#borrowed !== undefined && this.#size >= size) return true
    // a call inside a callback must not wait for arena that the call around it holds; nor does one wait for what never comes
    const tooLarge = size > lane.arena.size / 2
    if (!tooLarge) {
      this.#owner = size < LARGE ? undefined : image?.blocks.find(block => block.size > size / 2)?.bytes.buffer
      this.#at = lane.arena.allocate(size, this.#owner)
      this.#size = size
      if (this.#at >= ARENA_OFFSET) return true
      if (!port.nested) return false
    }
    if (this.#asked) return false
    const exchange = this.core.control.exchange(
      `${this.label}: memory for its arguments`,
      Op.alloc,
      [size],
      [],
      outcome => {
        this.#borrowed = Number(numberOf(outcome))
        this.#size = size
        // taken back meanwhile
        if (this.settled) this.#giveBack()
      },
      error => {
        this.#failure = error
      },
    )
    this.#asked = lane.sendFirst(exchange, port)
    return false
  }

  /** The message of so many arguments that no slot holds them: Node and the host both know where the arena is, and nothing else. */
  #placeMessage(lane: Sender, nested: boolean, length: number): boolean {
    this.#messageAt = lane.arena.allocate(length)
    this.#messageSize = length
    if (this.#messageAt >= ARENA_OFFSET) return true
    if (!nested) return false
    // waiting would be for ever: the call around the callback holds what it waits for
    this.#giveUp(lane)
    throw new ZugbrueckeError(
      `${this.label}: no shared memory is left for ${this.call.count} arguments inside a callback: start the session with a larger "memory"`,
    )
  }

  #writeImage(image: Image): void {
    const { core } = this
    if (this.#borrowed === undefined) image.copyTo(core.mapping.u8, this.#base - core.facts.base)
    else {
      let at = BigInt(this.#base)
      for (const view of image.views()) {
        core.memory.write(at, view)
        at += BigInt(view.length)
      }
    }
  }

  #readImage(image: Image): void {
    const { core } = this
    if (this.#borrowed === undefined) image.copyFrom(core.mapping.u8, this.#base - core.facts.base)
    else {
      let at = BigInt(this.#base)
      for (const view of image.viewsBack()) {
        core.memory.read(at, view)
        at += BigInt(view.length)
      }
      image.takeBack()
    }
  }

  #lend(lane: Sender, blocks: readonly LocalBlock[]): void {
    for (const { bytes, writable } of blocks) {
      if (!writable || lane.lent.has(bytes.buffer)) continue
      lane.lent.add(bytes.buffer)
      this.#lent ??= []
      this.#lent.push(bytes.buffer)
    }
  }

  #giveUp(lane: Sender): false {
    if (this.#at >= 0) lane.arena.free(this.#at, this.#size, true, this.#owner)
    if (this.#messageAt >= 0) lane.arena.free(this.#messageAt, this.#messageSize)
    this.#texts?.release(lane)
    this.#at = UNKNOWN
    this.#messageAt = UNKNOWN
    return false
  }

  #finish(lane: Sender): void {
    if (this.#lent) for (const buffer of this.#lent) lane.lent.delete(buffer)
    this.#giveUp(lane)
    if (this.#wrapped) for (const callback of this.#wrapped) this.core.callbacks.recycle(callback)
    this.#giveBack()
  }

  #giveBack(): void {
    if (this.#borrowed !== undefined) this.core.control.discard('freeing memory', Op.free, [this.#borrowed])
    this.#borrowed = undefined
  }
}

/** A function, or something written down that may have one inside. */
export const mayHoldFunction = (value: unknown) =>
  typeof value === 'function' ||
  (typeof value === 'object' &&
    value !== null &&
    !(value instanceof CData) &&
    !(value instanceof ByReference) &&
    !ArrayBuffer.isView(value))
