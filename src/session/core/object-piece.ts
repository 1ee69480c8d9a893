/** The memory of one block of an object on the Windows side. */
import { viewOf } from '../../channel/libc.js'
import type { Home, LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import { countReleased, countTaken, releaseAfter } from './left-blocks.js'
import type { Objects } from './objects.js'

/** Must not lead to its block, which would never be let go then. */
export class ObjectPiece implements Home {
  #released = false
  /** For memory outside of the segment: its bytes after the last call. */
  last: Uint8Array | undefined
  constructor(
    private readonly objects: Objects,
    readonly at: number,
    readonly size: number,
    private readonly alignment: number,
    private readonly isLodging: boolean,
    readonly isFar = false,
  ) {
    countTaken()
  }
  get memory(): RemoteMemory {
    return this.objects.memory
  }
  get address(): number {
    return this.objects.base + this.at
  }
  own(): ArrayBuffer {
    return this.size === 0 ? new ArrayBuffer(0) : viewOf(this.objects.start + BigInt(this.at), this.size)
  }
  /** Keeps the memory until `block` is unreachable. */
  keepFor(block: LocalBlock): void {
    releaseAfter(block, this)
  }
  release(): void {
    if (this.#released) return
    this.#released = true
    countReleased()
    this.objects.giveBack(this, this.alignment, this.isLodging)
  }
}
