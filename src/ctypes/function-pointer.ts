/** A variable that holds a function pointer: a data export, memory of `alloc`, what a pointer leads to. */
import type { CallbackFunction, CallbackObject, ForeignRoutine } from './callback-type.js'
import { BLOCK, CData, type CType, OFFSET, READ, shown, typeOf, WRITE } from './data.js'
import type { Addressed } from './inference.js'

/**
 * A variable that holds a function pointer, as a field or a data export. Read, it is the callback that was stored, or a
 * routine of the DLL's, which can be called; NULL is `null`.
 */
export interface CallbackVariable<R extends CType | null, A extends readonly CType[]> {
  get value(): CallbackObject<R, A> | ForeignRoutine<R, A> | null
  set value(value: CallbackFunction<R, A> | CallbackObject<R, A> | Addressed | null)
}

/** The class behind them. */
export class FunctionPointer extends CData {
  get value(): unknown {
    return typeOf(this)[READ](this[BLOCK], this[OFFSET])
  }
  set value(value: unknown) {
    typeOf(this)[WRITE](this[BLOCK], this[OFFSET], value)
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { name } = typeOf(this)
    const value = shown(name, () => this.value) as { readonly address?: bigint; readonly fn?: unknown } | string | null
    if (value === null) return `${name} NULL`
    if (typeof value === 'string') return `${name} ${value}`
    return typeof value.address === 'bigint' ? `${name} 0x${value.address.toString(16)}` : `${name} -> JS`
  }
}
