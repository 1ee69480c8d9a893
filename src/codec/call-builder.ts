/**
 * Puts one call together in a thread's scratch memory: scalars at once, by the encoder; pointers as offsets into the call's
 * image, which get their final values when the call has its place. One builder for each thread, used again for every call.
 */
import type { CallbackTarget, LocalBlock, RemoteMemory } from '../ctypes/block.js'
import type { ArgumentSink } from '../ctypes/sink.js'
import type { Encoder } from './encoder.js'
import { Image } from './image.js'
import { Call, MESSAGE } from './layout.js'

export class CallBuilder implements ArgumentSink {
  /** Undefined as long as no argument is memory. */
  image: Image | undefined
  /** Arguments that are addresses in the image: their numbers, those of the blocks, and the offsets in these. */
  readonly #pointers: number[] = []
  readonly #message: number

  constructor(
    private readonly encoder: Encoder,
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
    /** Offset in the shared memory of this thread's scratch. */
    readonly scratch: number,
  ) {
    this.#message = scratch + MESSAGE
  }

  begin(): void {
    this.image = undefined
    if (this.#pointers.length > 0) this.#pointers.length = 0
  }

  int(index: number, low: number, high: number): void {
    this.encoder.int(this.#message, index, low, high)
  }
  float(index: number, value: number): void {
    this.encoder.float(this.#message, index, value)
  }
  double(index: number, value: number): void {
    this.encoder.double(this.#message, index, value)
  }
  address(index: number, address: number): void {
    this.encoder.address(this.#message, index, address)
  }
  block(index: number, block: LocalBlock, offset: number): void {
    this.#pointers.push(index, this.#needImage().place(block), offset)
  }
  callback(index: number, callback: CallbackTarget): void {
    const thunk = callback.thunk(this.memory)
    if (thunk === undefined) this.#needImage().callbacks.push(callback)
    else this.encoder.address(this.#message, index, thunk)
  }

  /** Writes what is around the arguments; gives the message's length. */
  finish(routine: number, count: number): number {
    this.encoder.call(this.#message, routine, count)
    return Call.arguments + 8 * count
  }

  /** Says where the texts of its routine may go. */
  giveRoom(address: number, size: number): void {
    this.encoder.textRoom(this.#message, address, size)
  }

  /** Gives the pointers their final values, in the scratch and inside the image's blocks. */
  relocate(base: number): void {
    const { image } = this
    if (!image) return
    const pointers = this.#pointers
    for (let i = 0; i < pointers.length; i += 3)
      this.encoder.address(this.#message, pointers[i], base + image.offsetOf(pointers[i + 1]) + pointers[i + 2])
    image.relocate(base)
  }

  #needImage(): Image {
    this.image ??= new Image(this.memory, this.pointerSize)
    return this.image
  }
}
