/**
 * Builds the message of one call in the encoder's memory. Scalars are written at once. Pointers into the call's image
 * get their values by `relocate`, when the address of the image is known. Each thread has one builder, and uses it for
 * all calls.
 */
import { type CallbackTarget, LocalBlock, type RemoteMemory } from '../ctypes/block.js'
import type { ArgumentSink } from '../ctypes/sink.js'
import type { Encoder } from './encoder.js'
import { Image } from './image.js'
import { Call } from './layout.js'
import { SmallBuffers } from './small-buffers.js'

export class CallBuilder implements ArgumentSink {
  /** Undefined unless an argument is memory that is copied. */
  image: Image | undefined
  /** Arguments that are addresses in the image. For each: its index, the number of its block, and the offset there. */
  readonly #pointers: number[] = []
  /** Blocks that the arguments point to, also through other blocks, and that live in memory that both sides see. */
  readonly moved: LocalBlock[] = []

  /** The typed arrays that `buffer` was given: see session/call/direct-call.ts. */
  small = new SmallBuffers()
  /** Whether `buffer` adds typed arrays to `small`; otherwise each becomes a block of the image. */
  acceptsSmall = false

  constructor(
    private readonly encoder: Encoder,
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
  ) {}

  /** Starts a new call. */
  begin(): void {
    this.image = undefined
    if (this.#pointers.length > 0) this.#pointers.length = 0
    if (this.moved.length > 0) this.moved.length = 0
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
    return Call.arguments + 8 * count
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
