/** A field with an alignment of its own, as headers may declare it: `__declspec(align(8)) int x`. */
import type { BitField } from './bitfield.js'
import type { CType } from './data.js'

export class AlignedField {
  constructor(
    readonly type: CType | BitField,
    /** In bytes: that of the type, or less where the field is packed. */
    readonly alignment: number,
    /** The least alignment, which packing does not lessen; 1 where none is declared. */
    readonly required: number,
  ) {}
}
