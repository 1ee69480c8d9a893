/** The memory of one block of an object on the Windows side. */
import { viewOf } from '../../channel/libc.js'
import type { Home, LocalBlock, RemoteMemory } from '../../ctypes/block.js'
import { ArgumentError } from '../../errors.js'
import { countReleased, countTaken, releaseAfter } from './left-blocks.js'
import type { Objects } from './objects.js'

/**
 * The memory goes with this very ArrayBuffer; another one that took it over would lead to what is somebody else's then, or nobody's. Node
 * refuses to send it away by itself, but not these.
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
    if (this.size === 0) return new ArrayBuffer(0)
    return Object.defineProperties(viewOf(this.objects.start + BigInt(this.at), this.size), UNTRANSFERABLE)
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
