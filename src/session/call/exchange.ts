/** A call of a routine whose arguments may be memory or callbacks: from its JS arguments to its JS result. */

import { AsyncResource } from 'node:async_hooks'
import { Exchange, type Port, type Sender, sendFromArena } from '../../channel/exchange.js'
import { type CallBuilder, lengthOfCall } from '../../codec/call-builder.js'
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

/** Told how a call ended: with an error or a value, and with the last error and errno for `detail`. */
export type Settle = (error: Error | undefined, value: unknown, lastError: number, errno: number) => void

/** Stands for no offset. */
const UNKNOWN = -1
const NONE: readonly LocalBlock[] = []

/** An image of at least so many bytes asks the arena for the memory of the last call with the same ArrayBuffer. */
const LARGE = 8192
/** Bytes that memory of the arena, and of the host, is aligned to at least. */
const ALIGNED = 16

export class CallExchange extends Exchange {
  #image: Image | undefined
  /** Memory that the plan has made for the result and `out` parameters. */
  #room: ResultRoom | undefined
  /** Address of the image in the Windows process. */
  #base = 0
  /** Offset and size of the memory in the arena for the image. */
  #at = UNKNOWN
  #size = 0
  /** The ArrayBuffer that most of a large image is a copy of. */
  #owner: ArrayBufferLike | undefined
  /** Offset and size of the memory in the arena for a message that is too long for a slot. */
  #messageAt = UNKNOWN
  #messageSize = 0
  /** Address of memory of the host's own, for an image that the arena cannot hold. */
  #borrowed: number | undefined
  /** Whether the host has been asked for that memory, and why it gave none. */
  #asked = false
  #failure: Error | undefined
  #texts: TextRoom | undefined
  #lent: ArrayBufferLike[] | undefined
  /**
   * Blocks of arguments that live in memory that both sides see: they must stay reachable until the call has returned.
   */
  #moved: readonly LocalBlock[] = NONE
  /** Blocks that those lead to and that are copied to the Windows side and back. */
  #lodgers: readonly LocalBlock[] = NONE
  /** Callbacks made of functions among the arguments, for this call alone. */
  #wrapped: Callback[] | undefined
  /**
   * The asynchronous context of the call, in which functions among its arguments run, also where the call has to wait.
   */
  readonly #context: AsyncResource | undefined
  /** The arguments as they were when the call was made, if it had to wait. */
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
    const { builder } = this.core
    try {
      return this.#attempt(lane, port, builder)
    } finally {
      builder.end()
    }
  }

  #attempt(lane: Sender, port: Port, builder: CallBuilder): boolean {
    const { core, call } = this
    builder.begin()
    const args = this.#snapshot ?? this.args
    this.#room = this.#context
      ? this.#context.runInAsyncScope(() => call.encode(builder, args, (this.#wrapped ??= [])))
      : call.encode(builder, args)
    const { image } = builder
    const nested = port.nested === true
    if (image) {
      if (image.callbacks.length > 0 && !core.callbacks.provide(image.callbacks, port)) return false
      if (image.callbacks.length > 0) return this.#attempt(lane, port, builder)
      if (!nested && image.blocks.some(block => block.writable && lane.lent.has(block.lentAs))) return false
    }
    const lodgers = builder.moved.length > 0 ? core.objects.lodgers(builder.moved) : NONE
    if (!nested && lodgers.some(block => block.writable && lane.lent.has(block.lentAs))) return false
    call.verify?.()
    const imageSize = image?.size ?? 0
    const alignment = image?.alignment ?? 1
    const length = lengthOfCall(call.count)
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
    // behind all that may run code of the program's, and with it the answers of callbacks
    builder.finish(call.number, call.count)
    if (call.textCount > 0) {
      this.#texts ??= new TextRoom(core)
      this.#texts.place(lane, call.textLengths.call(call.textCount))
      builder.giveRoom(this.#texts.address, this.#texts.size)
    }
    for (const block of lodgers) core.objects.fill(block)
    const { message } = builder.encoder
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
      for (const block of this.#lodgers) core.objects.readBack(block)
      const elsewhere = moved.length > 0 ? core.objects.updatePointers(moved) : undefined
      if (image && view.getUint32(at + Reply.status, true) <= Status.exception) {
        this.#readImage(image)
        image.updatePointers(this.#base, elsewhere)
      }
      const texts = this.#readTexts(at)
      // `errcheck` and the functions of memsync may call with the same memory
      this.#release(lane)
      error = this.thrown ?? failureOf(core, call, at)
      if (!error) {
        const inside = image
          ? (address: bigint) => image.find(Number(address - BigInt(this.#base))) ?? elsewhere?.(address)
          : elsewhere
        const result = at + Reply.result
        // a result that points into memory of the arguments, as that of strchr, leads to the JS object that was given
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

  #readTexts(at: number): TakenTexts | undefined {
    const { call } = this
    const taken = this.#texts?.read(call.label, at, call.textCount)
    if (taken) call.textLengths.cameFromCall(taken.size, call.textCount)
    return taken?.texts
  }

  override fail(lane: Sender, error: Error): void {
    this.#finish(lane)
    this.done(error, undefined, 0, 0)
  }

  /** Finds memory for the image, in the arena or of the host's own; false if the call has to wait for it. */
  #place(lane: Sender, port: Port, size: number, image: Image | undefined): boolean {
    if (this.#borrowed !== undefined && this.#size >= size) return true
    // memory of the host's for images that the arena can never hold, and for calls inside a callback: those must not
    // wait for arena that the call around the callback holds
    const tooLarge = size > lane.arena.size / 2
    if (!tooLarge) {
      this.#owner = size < LARGE ? undefined : image?.blocks.find(block => block.size > size / 2)?.bytes.buffer
      this.#at = lane.arena.allocate(size, this.#owner)
      this.#size = size
      if (this.#at >= ARENA_OFFSET) return true
      // objects may have all but little of it for as long as they live
      if (!port.nested && !lane.isIdle) return false
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
        // the call has been withdrawn meanwhile
        if (this.settled) this.#giveBack()
      },
      error => {
        this.#failure = error
      },
    )
    this.#asked = lane.sendFirst(exchange, port)
    return false
  }

  /**
   * Finds memory in the arena for a message with so many arguments that it fits no slot; false if the call has to wait.
   */
  #placeMessage(lane: Sender, nested: boolean, length: number): boolean {
    this.#messageAt = lane.arena.allocate(length)
    this.#messageSize = length
    if (this.#messageAt >= ARENA_OFFSET) return true
    if (!nested) return false
    // the call would wait for ever: the call around the callback holds the memory
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
      image.mergeBack()
    }
  }

  #lend(lane: Sender, blocks: readonly LocalBlock[]): void {
    for (const { lentAs, writable } of blocks) {
      if (!writable || lane.lent.has(lentAs)) continue
      lane.lent.add(lentAs)
      this.#lent ??= []
      this.#lent.push(lentAs)
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

  #release(lane: Sender): void {
    if (this.#lent) for (const buffer of this.#lent) lane.lent.delete(buffer)
    this.#lent = undefined
  }

  #finish(lane: Sender): void {
    this.#release(lane)
    this.#giveUp(lane)
    if (this.#wrapped) for (const callback of this.#wrapped) this.core.callbacks.recycle(callback)
    this.#giveBack()
  }

  #giveBack(): void {
    if (this.#borrowed !== undefined) this.core.control.discard('freeing memory', Op.free, [this.#borrowed])
    this.#borrowed = undefined
  }
}

/** Whether an argument is a function, or a literal object or array that may contain one. */
export const mayHoldFunction = (value: unknown) =>
  typeof value === 'function' ||
  (typeof value === 'object' &&
    value !== null &&
    !(value instanceof CData) &&
    !(value instanceof ByReference) &&
    !ArrayBuffer.isView(value))
