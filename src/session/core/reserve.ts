/**
 * More memory for objects, outside of the segment, for when the heap in the segment is full. One large piece is
 * requested ahead, between calls, since a call cannot wait for it. A piece that is given back rests until many others
 * have been.
 */
/** Sizes are rounded up to multiples of this. */
const GRAIN = 64
/** At least so many pieces of a size rest. */
const RESTING = 1024

export class Reserve {
  #next = 0
  #end = 0
  #ahead: number | undefined
  #isAsked = false
  #total = 0
  readonly #resting = new Map<number, number[]>()

  constructor(
    /** The most bytes to request in all. */
    private readonly limit: number,
    /** Requests so many bytes from the Windows side; `got` is told their address. */
    private readonly ask: (size: number, got: (address: number) => void) => void,
  ) {}

  /** Requests the next large piece, unless there is one ahead or the limit is reached. */
  provide(): void {
    const size = Math.floor(this.limit / 4)
    if (this.#isAsked || this.#ahead !== undefined || this.#total + size > this.limit) return
    this.#isAsked = true
    this.ask(size, address => {
      this.#isAsked = false
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
