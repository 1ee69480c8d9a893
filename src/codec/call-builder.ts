/**
 * Puts one call together in the encoder's memory: scalars at once, by the encoder; pointers as offsets into the call's
 * image, which get their final values when the call has its place. One builder for each thread, used again for every call.
 */
import { type CallbackTarget, LocalBlock, type RemoteMemory } from '../ctypes/block.js'
import type { ArgumentSink } from '../ctypes/sink.js'
import { Buffers } from './buffers.js'
import type { Encoder } from './encoder.js'
import { Image } from './image.js'
import { Call } from './layout.js'

export class CallBuilder implements ArgumentSink {
  /** Undefined as long as no argument is memory. */
  image: Image | undefined
  /** Arguments that are addresses in the image: their numbers, those of the blocks, and the offsets in these. */
  readonly #pointers: number[] = []
  /** Blocks that the arguments name, or lead to, and that live in memory that both sides see. */
  readonly moved: LocalBlock[] = []

  /** What `buffer` takes, where it `takesSmall`: see session/call/direct-call.ts. */
  small = new Buffers()
  takesSmall = false

  constructor(
    private readonly encoder: Encoder,
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
  ) {}

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
    return this.takesSmall && LocalBlock.owning(given.buffer) === undefined && this.small.take(index, given)
  }
  callback(index: number, callback: CallbackTarget): void {
    const thunk = callback.thunk(this.memory)
    if (thunk === undefined) this.#needImage().callbacks.push(callback)
    else this.encoder.address(index, thunk)
  }

  /** Writes what is around the arguments; gives the message's length. */
  finish(routine: number, count: number): number {
    this.encoder.call(routine, count)
    return Call.arguments + 8 * count
  }

  /** Says where the texts of its routine may go. */
  giveRoom(address: number, size: number): void {
    this.encoder.textRoom(address, size)
  }

  /** Gives the pointers their final values, in the message and inside the image's blocks. */
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
