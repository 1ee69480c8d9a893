import { LocalBlock, POINTERS, type RemoteMemory, type Target } from '../ctypes/block.js'
import { liveRefs, pointerSizeIn, readCell, writeCell } from '../ctypes/reference.js'

/** A copy of an object for the call of one session, where the object lives in memory of another session. */
export class StandIn extends LocalBlock {
  /** The bytes as they were sent. */
  readonly #bytesBefore: Uint8Array
  /** The pointers to objects of JS as they were sent. */
  readonly #refsBefore: ReadonlyMap<number, unknown>

  constructor(private readonly object: LocalBlock) {
    super(object.bytes.slice(), object.writable)
    this.shape = object.shape
    this.refs = new Map(liveRefs(object))
    this.#bytesBefore = this.bytes.slice()
    this.#refsBefore = new Map(this.refs)
  }

  override get lentAs(): ArrayBufferLike {
    return this.object.bytes.buffer
  }

  /**
   * Copies what the call has changed to the object. Addresses of this session mean nothing there. So a pointer keeps
   * its value, unless the routine has set it to NULL or to an object of JS.
   */
  override settled(memory: RemoteMemory): void {
    const { object, refs, bytes } = this
    const size = pointerSizeIn(this)
    const made: [number, Target][] = []
    for (const at of new Set([...(this.shape?.[POINTERS] ?? []), ...this.#refsBefore.keys()])) {
      const ref = refs?.get(at)
      if (ref && ref !== this.#refsBefore.get(at) && 'block' in ref) made.push([at, ref])
      if (!ref && this.#refsBefore.has(at) && readCell(this, at, size) === null) continue
      bytes.set(this.#bytesBefore.subarray(at, at + size), at)
    }
    object.bytes.set(bytes)
    for (const [at, { block, offset }] of made)
      writeCell(object, at, size, { block: block instanceof StandIn ? block.object : block, offset })
    super.settled(memory)
  }
}
