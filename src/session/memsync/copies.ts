/** Copies of memory of the Windows process: what pointers of the DLL lead to, as memory of JS. */
import { LocalBlock, type RemoteBlock, type RemoteMemory, RemoteRange, type Target } from '../../ctypes/block.js'
import type { CType } from '../../ctypes/data.js'
import { setAddress } from '../../ctypes/integers.js'
import { addressIn, writeCell } from '../../ctypes/reference.js'
import { upToZero } from '../../ctypes/text.js'
import { ArgumentError } from '../../errors.js'
import type { Cell } from './path.js'

interface Copy {
  readonly address: bigint
  readonly block: LocalBlock
  /** The bytes as they were copied, where changes are to go back. */
  readonly before: Uint8Array | undefined
}

export class Copies {
  readonly #made: Copy[] = []

  constructor(
    private readonly memory: RemoteMemory,
    private readonly pointerSize: number,
    /** Whether `giveBack` writes changes to the Windows process. */
    private readonly goBack: boolean,
  ) {}

  /**
   * A copy of `size` bytes of the Windows process: part of an earlier copy that has them all, or a new one. Throws
   * MemoryAccessError.
   */
  of(address: bigint, size: number): Target {
    for (const { address: start, block } of this.#made)
      if (address >= start && address - start + BigInt(size) <= BigInt(block.size))
        return { block, offset: Number(address - start) }
    const block = LocalBlock.allocate(checkedSize(size))
    this.memory.read(address, block.bytes)
    block.origin = this.memory
    this.#made.push({ address, block, before: this.goBack ? block.bytes.slice() : undefined })
    return { block, offset: 0 }
  }

  /** A copy of text, its zero included. */
  ofText(address: bigint, wide: boolean): Target {
    const unit = wide ? 2 : 1
    const remote = new RemoteRange(this.memory, address)
    return this.of(address, upToZero(remote, 0, unit).length + unit)
  }

  /** Copies `count` elements of what a pointer leads to, and makes the pointer lead to the copy. */
  lead(cell: Cell, place: Target, pointee: CType, count: number): Target {
    return this.put(cell, this.of(remoteAddressOf(place), pointee.size * count))
  }

  /** Makes a pointer lead to `target`. */
  put(cell: Cell, target: Target): Target {
    writeCell(cell.block, cell.offset, cell.size, target)
    return target
  }

  /** Writes changed bytes back to the Windows process. Throws MemoryAccessError, ArgumentError. */
  giveBack(): void {
    for (const { address, block, before } of this.#made) {
      if (!before) continue
      const now = block.bytes.slice()
      const view = new DataView(now.buffer)
      for (const [at, ref] of block.refs ?? []) {
        const own = 'block' in ref ? this.#made.find(copy => copy.block === ref.block) : undefined
        const to = own ? own.address + BigInt((ref as Target).offset) : addressIn(this.memory, ref)
        setAddress(view, at, this.pointerSize, to)
      }
      let from = 0
      let end = now.length
      while (from < end && now[from] === before[from]) from++
      while (end > from && now[end - 1] === before[end - 1]) end--
      if (end > from) this.memory.write(address + BigInt(from), now.subarray(from, end))
    }
  }
}

/** The address of a place in memory of the Windows process. */
export const remoteAddressOf = ({ block, offset }: Target): bigint => (block as RemoteBlock).addressAt(offset)

/** More bytes are refused: such a length is an error of the program, or of the DLL. */
const LARGEST = 2 ** 32

function checkedSize(size: number): number {
  if (size <= LARGEST) return size
  throw new ArgumentError(`${size} bytes are more than can be copied`)
}
