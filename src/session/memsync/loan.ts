/** memsync in a callback: while the function runs, pointers that the DLL passed lead to copies in memory of JS. */
import { LocalBlock, RemoteRange } from '../../ctypes/block.js'
import type { CallbackClass } from '../../ctypes/callback-type.js'
import { BLOCK, CData, OFFSET, typeOf } from '../../ctypes/data.js'
import type { Directive } from '../../ctypes/memsync.js'
import { isRemotePlace } from '../../ctypes/reference.js'
import type { Lend, Loan, SessionCore } from '../core/core.js'
import { Copies } from './copies.js'
import { copyOf, inDirective, isWhole, pointerTo } from './directive.js'
import { endOf, follow, type Origin, type Spot, spotOf } from './path.js'

/** The copies for one run of a callback's function. */
class MemsyncLoan implements Loan {
  readonly #copies: Copies

  /** Makes the pointers in `args` lead to copies. Throws ArgumentError, MemoryAccessError. */
  constructor(
    directives: readonly Directive[],
    { name: label, argtypes }: CallbackClass,
    args: unknown[],
    core: SessionCore,
  ) {
    const { arch, pointerSize } = core.facts
    const { memory } = core
    this.#copies = new Copies(memory, pointerSize, true)
    const copies = this.#copies
    const spot = (value: unknown, i: number): Spot =>
      value instanceof CData
        ? { is: 'memory', type: typeOf(value), block: value[BLOCK], offset: value[OFFSET] }
        : spotOf(value, argtypes[i], arch, memory)
    const origin: Origin & { arguments: Spot[] } = { arch, memory, arguments: args.map(spot), result: undefined }
    for (const directive of directives) {
      const { pointer } = directive
      inDirective(label, directive, 'pointer', pointer, () => {
        const [index] = pointer as readonly number[]
        const given = args[index]
        if (pointer.length === 1 && typeof given === 'bigint') {
          const block = new RemoteRange(memory, given)
          const end = { place: { block, offset: 0 }, pointee: undefined }
          args[index] = pointerTo(directive, copyOf(label, directive, end, origin, copies), arch)
          origin.arguments[index] = spot(args[index], index)
          return
        }
        const at = follow(pointer, origin, (_segment, cell, place, pointee, count) =>
          isRemotePlace(place) && cell.block instanceof LocalBlock ? copies.lead(cell, place, pointee, count) : place,
        )
        const end = at && endOf(at, arch)
        if (!end?.cell || !isRemotePlace(end.place) || !(end.cell.block instanceof LocalBlock)) return
        if (end.isVoid && !isWhole(end.cell.block, end.cell.size)) return
        copies.put(end.cell, copyOf(label, directive, end, origin, copies))
      })
    }
  }

  /** To be called when the function has returned: writes back what it has changed. */
  end(): void {
    this.#copies.giveBack()
  }
}

export const lend: Lend = (directives, type, args, core) => new MemsyncLoan(directives, type, args, core)
