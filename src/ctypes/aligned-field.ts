/** A field with an alignment of its own, as headers may give it: `__declspec(align(8)) int x`. */
import type { CType } from './data.js'

export class AlignedField {
  constructor(
    readonly type: CType,
    /** As the compiler uses it: more than the type's, or less where the field is packed. */
    readonly alignment: number,
  ) {}
}
