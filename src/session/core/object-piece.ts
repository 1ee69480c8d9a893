/** The memory of one block of an object on the Windows side. */
import { viewOf } from '../../channel/libc.js'
import type { Home, LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import { ArgumentError } from '../../errors.js'
import type { Objects } from './objects.js'
import { countReleased, countTaken, releaseAfter } from './unreachable.js'

/**
 * The memory is given back when this ArrayBuffer is collected. One that took its contents over would go on to use
 * memory that may be another object's by then. Node refuses to transfer it to another thread, but not these methods.
 */
const UNTRANSFERABLE = Object.fromEntries(
  ['transfer', 'transferToFixedLength', 'transferToImmutable'].map(name => [
    name,
    {
      value() {
        throw new ArgumentError(`memory that a session sees, too, has no ${name}(): copy it (slice())`)
      },
    },
  ]),
)

/** It must not refer to its block, which could never be collected then. */
export class ObjectPiece implements Home {
  #isReleased = false
  /** For memory outside of the segment: its bytes after the last call. */
  last: Uint8Array | undefined
  constructor(
    private readonly objects: Objects,
    /** Offset in the segment, also of memory outside of it. */
    readonly at: number,
    readonly size: number,
    private readonly alignment: number,
    /** Whether its block lives elsewhere and is copied here for calls. */
    private readonly isLodging: boolean,
    /** Whether it lies outside of the segment. */
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
    if (this.size === 0) return new ArrayBuffer(0)
    return Object.defineProperties(viewOf(this.objects.start + BigInt(this.at), this.size), UNTRANSFERABLE)
  }
  /** Keeps the memory until `block` is unreachable. */
  keepFor(block: LocalBlock): void {
    releaseAfter(block, this)
  }
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    countReleased()
    this.objects.giveBack(this, this.alignment, this.isLodging)
  }
}
