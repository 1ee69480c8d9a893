/** What goes to a session for an object that lives in memory of another one: a copy, as if it had not moved. */
import { LocalBlock, POINTERS, type RemoteMemory, type Target } from '../ctypes/block.js'
import { ARCH, type CType, pointerSizeOf } from '../ctypes/data.js'
import { liveRefs, readCell, writeCell } from '../ctypes/reference.js'

export class Stand extends LocalBlock {
  readonly #before: Uint8Array
  constructor(private readonly object: LocalBlock) {
    super(object.bytes.slice(), object.writable)
    this.shape = object.shape
    this.refs = new Map(liveRefs(object))
    this.#before = this.bytes.slice()
    this.#led = new Map(this.refs)
  }
  readonly #led: ReadonlyMap<number, unknown>

  /** What the call has changed goes to the object. Its pointers are the other session's, unless they lead to an object of JS now. */
  override settled(memory: RemoteMemory): void {
    const { object, refs, bytes } = this
    const size = pointerSizeOf((this.shape as Partial<CType> | undefined)?.[ARCH] ?? 'win64')
    const made: [number, Target][] = []
    for (const at of new Set([...(this.shape?.[POINTERS] ?? []), ...this.#led.keys()])) {
      const ref = refs?.get(at)
      if (ref && ref !== this.#led.get(at) && 'block' in ref) made.push([at, ref])
      if (!ref && this.#led.has(at) && readCell(this, at, size) === null) continue
      bytes.set(this.#before.subarray(at, at + size), at)
    }
    object.bytes.set(bytes)
    for (const [at, { block, offset }] of made)
      writeCell(object, at, size, { block: block instanceof Stand ? block.object : block, offset })
    super.settled(memory)
  }
}
