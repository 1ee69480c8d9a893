/**
 * Memory on the Windows side for the image of a call: in the arena, or, where to wait for room there would be in vain,
 * memory of the host's own, which a control message allocates.
 */
import type { Port, Sender } from '../../channel/exchange.js'
import { numberOf } from '../../codec/control.js'
import type { Image } from '../../codec/image.js'
import { ARENA_OFFSET, Op } from '../../codec/layout.js'
import type { SessionCore } from '../core/core.js'

/** An image of at least so many bytes asks the arena for the memory of the last call with the same ArrayBuffer. */
const LARGE = 8192
/** Bytes that memory of the arena, and of the host, is aligned to at least. */
const ALIGNED = 16

export class ImageRoom {
  /** Address of the image in the Windows process. */
  base = 0
  /** Offset and size of the memory in the arena; an offset below 0: there is none. */
  #at = -1
  #size = 0
  /** The ArrayBuffer that most of a large image is a copy of. */
  #owner: ArrayBufferLike | undefined
  /** Memory of the host's own. */
  #host: { readonly address: number; readonly size: number } | undefined
  #isRequested = false
  /** Why the host gave no memory. */
  #error: Error | undefined
  /** The call is settled, and needs no memory any more. */
  #isOver = false

  constructor(
    private readonly core: SessionCore,
    private readonly label: string,
  ) {}

  /**
   * Finds memory for the image, also for one without bytes, which is to have an address; false if the call has to wait
   * for it. Throws where the host has none.
   */
  place(sender: Sender, port: Port, image: Image): boolean {
    if (this.#error) throw this.#error
    const { alignment } = image
    const size = image.size + (alignment > ALIGNED ? alignment : 0)
    if (!this.#allocate(sender, port, size, image)) return false
    const from = this.#host?.address ?? this.core.facts.base + this.#at
    this.base = Math.ceil(from / alignment) * alignment
    return true
  }

  /** Copies the image to its memory. */
  write(image: Image): void {
    const { mapping, memory, facts } = this.core
    if (!this.#host) return image.copyTo(mapping.u8, this.base - facts.base)
    for (const [at, view] of this.#located(image.views())) memory.write(at, view)
  }

  /** Copies the image back from its memory. */
  read(image: Image): void {
    const { mapping, memory, facts } = this.core
    if (!this.#host) return image.copyFrom(mapping.u8, this.base - facts.base)
    for (const [at, view] of this.#located(image.viewsBack())) memory.read(at, view)
    image.mergeBack()
  }

  /** Gives memory of the arena back. An attempt to send the call may find some again. */
  leaveArena({ arena }: Sender): void {
    if (this.#at >= 0) arena.free(this.#at, this.#size, true, this.#owner)
    this.#at = -1
  }

  /** To be called when the call is settled: gives memory of the host's back. */
  end(): void {
    this.#isOver = true
    this.#freeHost()
  }

  /** Views of the image that follow each other without a gap, each with its address. */
  *#located(views: readonly Uint8Array[]): Generator<readonly [at: bigint, view: Uint8Array]> {
    let at = BigInt(this.base)
    for (const view of views) {
      yield [at, view]
      at += BigInt(view.length)
    }
  }

  #allocate(sender: Sender, port: Port, size: number, image: Image): boolean {
    // an argument has become longer while the call waited for this memory
    if (this.#host && this.#host.size < size) this.#freeHost()
    if (this.#host) return true
    if (size <= sender.arena.size / 2) {
      this.#owner = size < LARGE ? undefined : image.blocks.find(block => block.size > size / 2)?.bytes.buffer
      this.#at = sender.arena.allocate(size, this.#owner)
      this.#size = size
      if (this.#at >= ARENA_OFFSET) return true
      // a call inside a callback must not wait for memory that the call around the callback holds; and where no call
      // holds any, objects do, for as long as they live
      if (!port.nested && !sender.isIdle) return false
    }
    this.#isRequested ||= this.#request(sender, port, size)
    return false
  }

  #request(sender: Sender, port: Port, size: number): boolean {
    const exchange = this.core.control.exchange(
      `${this.label}: memory for its arguments`,
      Op.alloc,
      [size],
      [],
      outcome => {
        this.#host = { address: Number(numberOf(outcome)), size }
        this.#isRequested = false
        // the call has been withdrawn meanwhile
        if (this.#isOver) this.#freeHost()
      },
      error => {
        this.#error = error
      },
    )
    return sender.sendFirst(exchange, port)
  }

  #freeHost(): void {
    if (this.#host) this.core.control.discard('freeing memory', Op.free, [this.#host.address])
    this.#host = undefined
  }
}
