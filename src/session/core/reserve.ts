/**
 * Memory of the Windows process's own for objects, where what both sides see is full: asked for one large piece ahead, between calls,
 * because in the middle of one nobody can wait for it. A piece given back rests until many others have been.
 */
/** What pieces are rounded up to. */
const GRAIN = 64
/** Pieces of one size that rest at the least. */
const RESTING = 1024

export class Reserve {
  #next = 0
  #end = 0
  #ahead: number | undefined
  #isAsked = false
  #total = 0
  readonly #resting = new Map<number, number[]>()

  constructor(
    /** Bytes of it, at the most. */
    private readonly limit: number,
    /** Asks the Windows side for so many bytes, and tells their address. */
    private readonly ask: (size: number, got: (address: number) => void) => void,
  ) {}

  /** Asks for more, if there is to be more. */
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

  /** Address of so many bytes; undefined if there are none. */
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
