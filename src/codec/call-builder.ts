/**
 * Builds the message of one call in the encoder's memory. Scalars are written at once. Pointers into the call's image
 * get their values by `relocate`, when the address of the image is known. A thread uses one builder for all calls of a
 * session, and another one for calls that are made while the arguments of a call are read, by a getter for instance.
 */
import { type CallbackTarget, LocalBlock, type RemoteMemory } from '../ctypes/block.js'
import type { ArgumentSink } from '../ctypes/sink.js'
import { createEncoder, type Encoder } from './encoder.js'
import { Image } from './image.js'
import { Call } from './layout.js'
import { SmallBuffers } from './small-buffers.js'

export class CallBuilder implements ArgumentSink {
  /** Undefined unless an argument is memory that is copied. */
  image: Image | undefined
  /**
   * Three numbers for each argument that is a pointer into the image: its index, that of its block, the offset there.
   */
  readonly #pointers: number[] = []
  /** Blocks that the arguments point to, also through other blocks, and that live in memory that both sides see. */
  readonly moved: LocalBlock[] = []

  /** The typed arrays that `buffer` was given: see session/call/direct-call.ts. */
  small = new SmallBuffers()
  /** Whether `buffer` adds typed arrays to `small`; otherwise each becomes a block of the image. */
  acceptsSmall = false
  /** A call is being put together here. */
  isBusy = false
  /** For a call that is made while this one is busy. */
  #next: CallBuilder | undefined

  constructor(
    readonly encoder: Encoder,
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
  ) {}

  /** This builder, or while it is busy another one. */
  get free(): CallBuilder {
    if (!this.isBusy) return this
    this.#next ??= new CallBuilder(createEncoder(), this.memory, this.pointerSize)
    return this.#next.free
  }

  /** Starts a new call. To be followed by `end`, whatever happens. */
  begin(): void {
    this.isBusy = true
    this.image = undefined
    if (this.#pointers.length > 0) this.#pointers.length = 0
    if (this.moved.length > 0) this.moved.length = 0
  }

  /** The call is sent, or will not be. */
  end(): void {
    this.isBusy = false
  }

  int(index: number, low: number, high: number): void {
    this.encoder.int(index, low, high)
  }
  float(index: number, value: number): void {
    this.encoder.float(index, value)
  }
  double(index: number, value: number): void {
    this.encoder.double(index, value)
  }
  address(index: number, address: number): void {
    this.encoder.address(index, address)
  }
  block(index: number, block: LocalBlock, offset: number, stays = false): void {
    const address = stays ? undefined : this.memory.objects?.addressOf(block)
    if (address !== undefined) {
      this.moved.push(block)
      this.encoder.address(index, address + offset)
      return
    }
    this.#pointers.push(index, this.#needImage().place(block), offset)
  }
  buffer(index: number, given: ArrayBufferView): boolean {
    return this.acceptsSmall && LocalBlock.owning(given.buffer) === undefined && this.small.add(index, given)
  }
  callback(index: number, callback: CallbackTarget): void {
    const thunk = callback.thunk(this.memory)
    if (thunk === undefined) this.#needImage().callbacks.push(callback)
    else this.encoder.address(index, thunk)
  }

  /** Writes the head of the message; gives the message's length in bytes. */
  finish(routine: number, count: number): number {
    this.encoder.call(routine, count)
    return lengthOfCall(count)
  }

  /** Writes where the host may put the texts that the routine leaves. */
  giveRoom(address: number, size: number): void {
    this.encoder.textRoom(address, size)
  }

  /** Writes the final pointers, in the message and in the image's blocks, for an image at address `base`. */
  relocate(base: number): void {
    const { image } = this
    if (!image) return
    const pointers = this.#pointers
    for (let i = 0; i < pointers.length; i += 3)
      this.encoder.address(pointers[i], base + image.offsetOf(pointers[i + 1]) + pointers[i + 2])
    image.relocate(base)
  }

  #needImage(): Image {
    this.image ??= new Image(this.memory, this.pointerSize, this.moved)
    return this.image
  }
}

/** Bytes of the message of a call with so many arguments. */
export const lengthOfCall = (count: number): number => Call.arguments + 8 * count
