/**
 * More memory for objects, outside of the segment, for when the heap in the segment is full. One large region is
 * requested ahead, between calls, since a call cannot wait for it. Memory that is given back is used again only after
 * much other memory of its size, since a DLL may still know its address.
 */

/** Sizes are rounded up to multiples of this. */
const GRAIN = 64
/** How many pieces of a size rest before the oldest is used again, unless there is no other room. */
const RESTING = 1024

export class Reserve {
  /** What is left of the region in use: two addresses in the Windows process. */
  #next = 0
  #end = 0
  /** Address of the region that was requested ahead. */
  #ahead: number | undefined
  #isRequested = false
  /** Bytes of all regions. */
  #total = 0
  /** Addresses of memory that was given back, by its size. */
  readonly #resting = new Map<number, number[]>()

  constructor(
    /** The most bytes to request in all; a region has a quarter of it. */
    private readonly limit: number,
    /**
     * Requests so many bytes from the Windows side. `got` is told their address; if there are none, it is not called.
     */
    private readonly request: (size: number, got: (address: number) => void) => void,
  ) {}

  /** Requests the next region, unless there is one ahead or the limit is reached. */
  provide(): void {
    const size = Math.floor(this.limit / 4)
    if (this.#isRequested || this.#ahead !== undefined || this.#total + size > this.limit) return
    this.#isRequested = true
    this.request(size, address => {
      this.#isRequested = false
      this.#ahead = address
      this.#total += size
    })
  }

  /** Address of `size` bytes; undefined if there is no room. */
  allocate(size: number, alignment: number): number | undefined {
    const rounded = roundUp(Math.max(size, 1), GRAIN)
    const resting = this.#resting.get(rounded)
    if (alignment <= GRAIN && resting && resting.length > RESTING) return resting.shift()
    const fresh = this.#fresh(rounded, Math.max(alignment, GRAIN))
    return fresh ?? (alignment <= GRAIN ? resting?.shift() : undefined)
  }

  /** Gives `size` bytes back that `allocate` gave. */
  free(address: number, size: number): void {
    const rounded = roundUp(Math.max(size, 1), GRAIN)
    const resting = this.#resting.get(rounded)
    if (resting) resting.push(address)
    else this.#resting.set(rounded, [address])
  }

  #fresh(size: number, alignment: number): number | undefined {
    let at = roundUp(this.#next, alignment)
    if (at + size > this.#end) {
      if (this.#ahead === undefined || size + alignment > this.limit / 4) return undefined
      this.#next = this.#ahead
      this.#end = this.#ahead + Math.floor(this.limit / 4)
      this.#ahead = undefined
      at = roundUp(this.#next, alignment)
    }
    this.#next = at + size
    return at
  }
}

const roundUp = (size: number, grain: number) => Math.ceil(size / grain) * grain
