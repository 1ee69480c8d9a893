/** A call of a routine whose arguments may be memory or callbacks: from its JS arguments to its JS result. */

import { AsyncResource } from 'node:async_hooks'
import { Exchange, type Port, type Sender, sendFromArena } from '../../channel/exchange.js'
import { type CallBuilder, lengthOfCall } from '../../codec/call-builder.js'
import type { Image } from '../../codec/image.js'
import { ARENA_OFFSET, Kind, Reply, Status } from '../../codec/layout.js'
import type { LocalBlock } from '../../ctypes/block.js'
import type { ResultRoom } from '../../ctypes/call-plan.js'
import type { Callback } from '../../ctypes/callback-type.js'
import { CData } from '../../ctypes/data.js'
import { ByReference } from '../../ctypes/pointing.js'
import type { TakenTexts } from '../../ctypes/taken-texts.js'
import { ZugbrueckeError } from '../../errors.js'
import type { SessionCore } from '../core/core.js'
import { ImageRoom } from './image-room.js'
import type { PreparedCall } from './prepared-call.js'
import { failureOf } from './reply.js'
import { TextRoom } from './text-room.js'

/** Told how a call ended: with an error or a value, and with the last error and errno for `detail`. */
export type FinishCall = (error: Error | undefined, value: unknown, lastError: number, errno: number) => void

const NONE: readonly LocalBlock[] = []

export class CallExchange extends Exchange {
  /** The image that has been sent. */
  #image: Image | undefined
  #imageRoom: ImageRoom | undefined
  /** Memory of JS that the plan has made for the result and `out` parameters. */
  #resultRoom: ResultRoom | undefined
  #textRoom: TextRoom | undefined
  /** Offset and size of the memory in the arena for a message that is too long for a slot; below 0: there is none. */
  #messageAt = -1
  #messageSize = 0
  /** ArrayBuffers that this call has added to `Sender.lent`. */
  #lent: ArrayBufferLike[] | undefined
  /**
   * Blocks of arguments that live in memory that both sides see: they must stay reachable until the call has returned.
   */
  #moved: readonly LocalBlock[] = NONE
  /** Blocks with a lodging that the routine can reach from those: they are copied to the Windows side and back. */
  #lodgers: readonly LocalBlock[] = NONE
  /** Callbacks made of functions among the arguments, for this call alone. */
  #wrapped: Callback[] | undefined
  /**
   * The asynchronous context of the call, in which functions among its arguments run, also where the call has to wait.
   */
  readonly #context: AsyncResource | undefined
  /** The arguments that are passed by value as they were when the call was made, if it had to wait. */
  #snapshot: readonly unknown[] | undefined

  constructor(
    private readonly core: SessionCore,
    private readonly call: PreparedCall,
    private readonly args: readonly unknown[],
    private readonly done: FinishCall,
  ) {
    super()
    if (!call.plain && args.some(mayHoldFunction))
      this.#context = new AsyncResource('zugbruecke.Call', { requireManualDestroy: true })
  }

  override get label(): string {
    return this.call.label
  }

  override attempt(lane: Sender, port: Port): boolean {
    const { builder } = this.core
    try {
      return this.#attempt(lane, port, builder)
    } catch (error) {
      this.#finish(lane)
      throw error
    } finally {
      builder.end()
    }
  }

  #attempt(lane: Sender, port: Port, builder: CallBuilder): boolean {
    const { core, call } = this
    builder.begin()
    const args = this.#snapshot ?? this.args
    this.#resultRoom = this.#context
      ? this.#context.runInAsyncScope(() => call.encode(builder, args, (this.#wrapped ??= [])))
      : call.encode(builder, args)
    const { image } = builder
    const nested = port.nested === true
    if (image) {
      if (image.callbacks.length > 0 && !core.thunks.provide(image.callbacks, port)) return false
      if (image.callbacks.length > 0) return this.#attempt(lane, port, builder)
      if (!nested && image.blocks.some(block => block.writable && lane.lent.has(block.lentAs))) return false
    }
    const lodgers = builder.moved.length > 0 ? core.objects.lodgers(builder.moved) : NONE
    if (!nested && lodgers.some(block => block.writable && lane.lent.has(block.lentAs))) return false
    call.verify?.()
    const length = lengthOfCall(call.count)
    const messageInArena = length > port.room
    const imageRoom = image && (this.#imageRoom ??= new ImageRoom(core, this.label))
    if (imageRoom && !imageRoom.place(lane, port, image)) return false
    if (messageInArena && !this.#placeMessage(lane, nested, length)) return this.#leaveArena(lane)
    if (imageRoom) {
      builder.relocate(imageRoom.base)
      imageRoom.write(image)
    }
    // only after all that may run code of the program's: the answers of its callbacks lie where this head is written
    builder.finish(call.number, call.count)
    if (call.textCount > 0) {
      this.#textRoom ??= new TextRoom(core)
      this.#textRoom.place(lane, call.textLengths.call(call.textCount))
      builder.giveRoom(this.#textRoom.address, this.#textRoom.size)
    }
    for (const block of lodgers) core.objects.fill(block)
    const { message } = builder.encoder
    const sent = messageInArena
      ? sendFromArena(lane, port, new Uint8Array(message.buffer, 0, length), this.#messageAt, Kind.call)
      : port.send(message, length, Kind.call)
    if (!sent) return this.#leaveArena(lane)
    if (image) {
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
      const imageRoom = this.#imageRoom as ImageRoom
      const moved = this.#moved
      for (const block of this.#lodgers) core.objects.readBack(block)
      const elsewhere = moved.length > 0 ? core.objects.updatePointers(moved) : undefined
      if (image && view.getUint32(at + Reply.status, true) <= Status.exception) {
        imageRoom.read(image)
        image.updatePointers(imageRoom.base, elsewhere)
      }
      const texts = this.#readTexts(at)
      // `errcheck` and the functions of memsync may call with the same memory
      this.#release(lane)
      error = this.thrown ?? failureOf(core, call, at)
      if (!error) {
        const inside = image
          ? (address: bigint) => image.find(Number(address - BigInt(imageRoom.base))) ?? elsewhere?.(address)
          : elsewhere
        const result = at + Reply.result
        // a pointer into memory of the arguments, such as the result of strchr, leads to the JS object that was given
        const target = inside && call.pointsBack ? inside(view.getBigUint64(result, true)) : undefined
        value = target
          ? call.pointTo?.(target, this.args, this.#resultRoom)
          : call.decode(view, result, this.args, this.#resultRoom, inside, texts)
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
    const taken = this.#textRoom?.read(call.label, at, call.textCount)
    if (taken) call.textLengths.cameFromCall(taken.size, call.textCount)
    return taken?.texts
  }

  override fail(lane: Sender, error: Error): void {
    this.#finish(lane)
    this.done(error, undefined, 0, 0)
  }

  /**
   * Finds memory in the arena for a message with so many arguments that it fits no slot; false if the call has to wait.
   */
  #placeMessage(lane: Sender, nested: boolean, length: number): boolean {
    this.#messageAt = lane.arena.allocate(length)
    this.#messageSize = length
    if (this.#messageAt >= ARENA_OFFSET) return true
    if (!nested) return false
    // it would wait for ever: the call around the callback holds the memory
    throw new ZugbrueckeError(
      `${this.label}: no shared memory is left for ${this.call.count} arguments inside a callback: start the session with a larger "memory"`,
    )
  }

  #lend(lane: Sender, blocks: readonly LocalBlock[]): void {
    for (const { lentAs, writable } of blocks) {
      if (!writable || lane.lent.has(lentAs)) continue
      lane.lent.add(lentAs)
      this.#lent ??= []
      this.#lent.push(lentAs)
    }
  }

  /** Gives back all memory of the arena that the call has. */
  #leaveArena(lane: Sender): false {
    this.#imageRoom?.leaveArena(lane)
    if (this.#messageAt >= 0) lane.arena.free(this.#messageAt, this.#messageSize)
    this.#textRoom?.release(lane)
    this.#messageAt = -1
    return false
  }

  #release(lane: Sender): void {
    if (this.#lent) for (const buffer of this.#lent) lane.lent.delete(buffer)
    this.#lent = undefined
  }

  /** Gives back all that the call has. */
  #finish(lane: Sender): void {
    this.#release(lane)
    this.#leaveArena(lane)
    if (this.#wrapped) for (const callback of this.#wrapped) this.core.thunks.recycle(callback)
    this.#imageRoom?.end()
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
