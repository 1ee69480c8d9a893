/** Room for one block of an object in memory that both sides see. */
import { viewOf } from '../../channel/libc.js'
import type { Home, LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import { countReleased, countTaken, releaseAfter } from './left-blocks.js'
import type { Objects } from './objects.js'

/** Must not lead to its block, which would never be let go then. */
export class Piece implements Home {
  #released = false
  /** Where the Windows side's own memory is: the bytes as they were after the last call. */
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
  /** It is the block's for as long as there is that block. */
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
