import { numberOf } from '../../codec/control.js'
import { Op } from '../../codec/layout.js'
import { RemoteBlock, type RemoteMemory } from '../../ctypes/block.js'
import { RoutineNotFoundError } from '../../errors.js'
import type { DllState } from '../core/dll-state.js'
import { coreForSync } from '../core/owner.js'
import type { SessionSurface } from './surface.js'

/**
 * The block of a variable that a DLL exports. The Windows side is asked for its address when it is first read or
 * written, which blocks this thread, and throws DllNotFoundError or RoutineNotFoundError.
 */
export class DataExportBlock extends RemoteBlock {
  #address: bigint | undefined

  constructor(
    private readonly session: SessionSurface,
    private readonly dll: DllState,
    private readonly symbol: string | number,
    override readonly size: number,
  ) {
    super()
  }

  override get memory(): RemoteMemory {
    return coreForSync(this.session).memory
  }

  override get address(): bigint {
    if (this.dll.error) throw this.dll.error
    if (this.#address === undefined) {
      const core = coreForSync(this.session)
      this.dll.request(core)
      const ordinal = typeof this.symbol === 'number' ? this.symbol : -1
      const label = `${this.dll.name}.${this.symbol}`
      try {
        const outcome = core.control.requestSync(
          label,
          Op.symbol,
          [this.dll.number, ordinal],
          [ordinal < 0 ? String(this.symbol) : ''],
        )
        this.#address = BigInt.asUintN(64, numberOf(outcome))
      } catch (error) {
        if (this.dll.error) throw this.dll.error
        if (error instanceof RoutineNotFoundError)
          throw new RoutineNotFoundError(`${this.dll.name} exports no ${this.symbol}`)
        throw error
      }
    }
    return this.#address
  }
}
