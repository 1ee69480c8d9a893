/**
 * The memory image of one call: a copy of the blocks that its arguments point to, also through other blocks, one behind
 * the other. A block's offset is known when all blocks have been found, since blocks may overlap. The address of the
 * image is known when the call is sent.
 */
import {
  type Block,
  type CallbackTarget,
  LocalBlock,
  POINTERS,
  type RemoteMemory,
  type Target,
} from '../ctypes/block.js'
import { lost } from '../ctypes/given.js'
import { readAddress, setAddress } from '../ctypes/integers.js'
import { checkSession } from '../ctypes/reference.js'
import { arrange, type ImagePiece, padding, pieceAt } from './pieces.js'
import { StandIn } from './stand-in.js'

/** A pointer inside a block that leads somewhere when the call begins. */
interface Link {
  /** Number of the block that the pointer lies in, and its offset there. */
  readonly owner: number
  readonly at: number
  readonly ref: Target | CallbackTarget
  /** Number of the block that the pointer leads to; -1: it leads to `address`, outside of the image. */
  readonly target: number
  readonly address: bigint
}

export class Image {
  /** Every block once, in the order in which the blocks were found. */
  readonly blocks: LocalBlock[] = []
  readonly #numbers = new Map<LocalBlock, number>()
  readonly #links: Link[] = []
  #pieces: readonly ImagePiece[] = []
  /** For pieces that a callback may have changed here: what has been read back, until it is merged. */
  readonly #apart = new Map<ImagePiece, Uint8Array>()
  #offsets: readonly number[] = []
  #size = 0
  #alignment = 0
  /** How many blocks have been searched for pointers to other blocks. */
  #followed = 0
  /** How many blocks there were when they were last arranged. */
  #arranged = 0
  /** Callbacks that need a thunk in this session before the call can be sent. */
  readonly callbacks: CallbackTarget[] = []

  constructor(
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
    /** Blocks that pointers lead to and that live in memory that both sides see are added to this list. */
    private readonly moved: LocalBlock[] = [],
  ) {}

  /** Adds a block, and all blocks that its pointers lead to; gives its number. */
  place(given: LocalBlock): number {
    const number = this.#add(given)
    // a loop and no recursion: a linked list may be longer than the stack is deep
    for (; this.#followed < this.blocks.length; this.#followed++) {
      const block = this.blocks[this.#followed]
      if (block.refs) for (const [at, ref] of block.refs) this.#follow(block, this.#followed, at, ref)
    }
    return number
  }

  #add(given: LocalBlock): number {
    const known = this.#numbers.get(given)
    if (known !== undefined) return known
    const sent = given.sentIn(this.memory.encoding)
    const number = this.blocks.length
    this.#numbers.set(given, number)
    sent.refresh()
    this.blocks.push(given.home ? new StandIn(given) : sent)
    return number
  }

  /** The offset of a block in the image. */
  offsetOf(number: number): number {
    this.#arrange()
    return this.#offsets[number]
  }
  get size(): number {
    this.#arrange()
    return this.#size
  }
  /** What the address of the image must be a multiple of. */
  get alignment(): number {
    this.#arrange()
    return this.#alignment
  }

  /** Writes the pointers in the blocks, for an image at address `base`. */
  relocate(base: number): void {
    this.#arrange()
    for (const link of this.#links)
      if (link.target >= 0) this.#put(this.blocks[link.owner], link.at, this.#addressInside(link, base))
  }

  /** The bytes of the image, as views that follow each other without a gap. */
  views(): Uint8Array[] {
    return this.#joined(({ bytes }) => bytes)
  }

  /**
   * To be called when the views of `viewsBack` are filled: merges them into pieces that a callback may have changed
   * here. Throws ArgumentError where the program has taken memory away meanwhile.
   */
  mergeBack(): void {
    for (const [piece, bytes] of this.#apart) merge(piece.bytes, piece.before as Uint8Array, bytes)
    this.#apart.clear()
    this.#checkWhole()
  }

  /**
   * Views to read the image back into, without a gap. For read-only blocks and padding they are memory that nothing
   * uses.
   */
  viewsBack(): Uint8Array[] {
    return this.#joined(piece => {
      if (piece.writable && !piece.before && isWhole(piece)) return piece.bytes
      const apart = new Uint8Array(piece.size)
      if (piece.writable && isWhole(piece)) this.#apart.set(piece, apart)
      return apart
    }, true)
  }

  /** Copies the image to memory of the arena, from byte `at` on. */
  copyTo(memory: Uint8Array, at: number): void {
    this.#arrange()
    for (const { bytes, offset } of this.#pieces) memory.set(bytes, at + offset)
  }

  /**
   * Copies what is writable back from there. Throws ArgumentError where the program has taken memory away meanwhile.
   */
  copyFrom(memory: Uint8Array, at: number): void {
    for (const piece of this.#pieces) {
      const { bytes, writable, offset } = piece
      if (!writable || !isWhole(piece)) continue
      const there = memory.subarray(at + offset, at + offset + bytes.length)
      if (piece.before) merge(bytes, piece.before, there)
      else bytes.set(there)
    }
    this.#checkWhole()
  }

  #checkWhole(): void {
    if (!this.#pieces.every(piece => isWhole(piece) || !piece.writable)) throw lost()
  }

  /**
   * To be called before a callback runs, which may write to the blocks: from now on only bytes that the routine changes
   * are copied back.
   */
  remember(): void {
    // memory that the program has taken away is an error when it is to be copied back
    for (const piece of this.#pieces) if (piece.writable && piece.bytes.length > 0) piece.before ??= piece.bytes.slice()
  }

  /**
   * To be called after the call: makes pointers of JS lead where the routine has set them. `elsewhere` finds the block
   * at an address outside of the image.
   */
  updatePointers(base: number, elsewhere?: (address: bigint) => Target | undefined): void {
    for (const link of this.#links) {
      const owner = this.blocks[link.owner]
      if (!owner.writable) continue
      if (link.target < 0 && readAddress(owner, link.at, this.pointerSize) === link.address) continue
      const now = this.#get(owner, link.at)
      if (link.target >= 0 && now === this.#addressInside(link, base)) continue
      const inside = this.find(now - base) ?? elsewhere?.(readAddress(owner, link.at, this.pointerSize))
      if (inside) owner.refs?.set(link.at, inside)
      else if (owner.refs?.get(link.at) === link.ref) owner.refs.delete(link.at)
    }
    for (const block of this.blocks) {
      if (block.writable && block.shape) this.#findPointers(block, block.shape[POINTERS], base, elsewhere)
      block.settled(this.memory)
    }
  }

  /** The block, and the offset in it, at an offset in the image; undefined where there is none. */
  find(offset: number): Target | undefined {
    const piece = offset >= 0 && offset <= this.size ? pieceAt(this.#pieces, offset) : undefined
    if (!piece) return undefined
    let end: Target | undefined
    for (const number of piece.blocks) {
      const block = this.blocks[number]
      const within = offset - this.#offsets[number]
      if (within >= 0 && within < block.size) return { block, offset: within }
      // C allows a pointer to the byte behind the last one
      if (within === block.size) end ??= { block, offset: within }
    }
    return end
  }

  #arrange(): void {
    if (this.#arranged === this.blocks.length) return
    const { pieces, offsets, size, alignment } = arrange(this.blocks)
    this.#pieces = pieces
    this.#offsets = offsets
    this.#size = size
    this.#alignment = alignment
    this.#arranged = this.blocks.length
  }

  #joined(bytesOf: (piece: ImagePiece) => Uint8Array, back = false): Uint8Array[] {
    this.#arrange()
    const views: Uint8Array[] = []
    let end = 0
    for (const piece of this.#pieces) {
      if (piece.offset > end) views.push(padding(piece.offset - end, back))
      views.push(bytesOf(piece))
      end = piece.offset + piece.size
    }
    if (this.#size > end) views.push(padding(this.#size - end, back))
    return views
  }

  #follow(block: LocalBlock, owner: number, at: number, ref: Target | CallbackTarget): void {
    const link = (target: number, address: bigint) => this.#links.push({ owner, at, ref, target, address })
    const linkOut = (address: bigint) => {
      link(-1, address)
      setAddress(block.whole, at, this.pointerSize, address)
    }
    if ('thunk' in ref) {
      const thunk = ref.thunk(this.memory)
      if (thunk === undefined) this.callbacks.push(ref)
      else linkOut(BigInt(thunk))
      return
    }
    const target: Block = ref.block
    if (target instanceof LocalBlock) {
      const address = this.memory.objects?.addressOf(target)
      if (address === undefined) link(this.#add(target), 0n)
      else {
        this.moved.push(target)
        linkOut(BigInt(address + ref.offset))
      }
      return
    }
    checkSession(target.memory, this.memory)
    linkOut(target.addressAt(ref.offset))
  }

  #addressInside({ target, ref }: Link, base: number): number {
    return base + this.#offsets[target] + (ref as Target).offset
  }

  /** Finds pointers that led nowhere, or out of this process, and lead into the image now. */
  #findPointers(
    block: LocalBlock,
    pointers: readonly number[],
    base: number,
    elsewhere: ((address: bigint) => Target | undefined) | undefined,
  ): void {
    for (const at of pointers) {
      if (block.refs?.has(at)) continue
      const now = this.#get(block, at)
      const inside =
        now === 0 ? undefined : (this.find(now - base) ?? elsewhere?.(readAddress(block, at, this.pointerSize)))
      if (!inside) continue
      block.refs ??= new Map()
      block.refs.set(at, inside)
    }
  }

  #put(block: LocalBlock, at: number, address: number): void {
    const view = block.view(at, this.pointerSize)
    view.setUint32(0, address % 4294967296, true)
    if (this.pointerSize === 8) view.setUint32(4, Math.floor(address / 4294967296), true)
  }

  /** The pointer there as a number. Addresses above 2^53 are rounded, which does no harm: the image lies below. */
  #get(block: LocalBlock, at: number): number {
    const view = block.view(at, this.pointerSize)
    const low = view.getUint32(0, true)
    return this.pointerSize === 8 ? view.getUint32(4, true) * 4294967296 + low : low
  }
}

const isWhole = ({ bytes, size }: ImagePiece) => bytes.length === size

/** Copies bytes from `there` that differ from `before`. */
function merge(here: Uint8Array, before: Uint8Array, there: Uint8Array): void {
  for (let i = 0; i < here.length; i++) {
    const now = there[i]
    if (now !== before[i]) here[i] = now
  }
}
