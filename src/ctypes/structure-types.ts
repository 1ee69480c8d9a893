/** What TypeScript infers of structures: the types of their fields, of their objects, and of what objects are made from. */
import type { BitField } from './bitfield.js'
import type { CType, TypeStatics } from './data.js'
import type { init, SetOf, ValueOf } from './inference.js'
import type { FieldInfo, RECORD, Record } from './record.js'

/** Fields in the order of their declaration. */
export interface Fields {
  readonly [name: string]: CType | BitField
}
/** What changes a structure's layout, which otherwise is what compilers for Windows make of its fields. */
export interface StructureOptions<Anonymous extends string = never> {
  /** `#pragma pack(n)`: no field is aligned to more bytes, but for structures that have an `align` of their own. */
  readonly pack?: 1 | 2 | 4 | 8 | 16
  /** `__declspec(align(n))`: how many bytes the structure is aligned to at the least, a power of two up to 8192. */
  readonly align?: number
  /** Fields whose own fields are reached without their name. */
  readonly anonymous?: readonly Anonymous[]
}

type FieldType<F> = F extends BitField<infer T> ? T : F
type OwnValues<F extends Fields> = { -readonly [K in keyof F]: ValueOf<FieldType<F[K]>> }
type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never
/** What an object of a structure looks like: its fields, by name. */
export type FieldValues<F extends Fields, A extends string = never> = [A] extends [never]
  ? OwnValues<F>
  : OwnValues<F> & Intersection<ValueOf<FieldType<F[A & keyof F]>>>
type OwnInit<F extends Fields> = { readonly [K in keyof F]?: SetOf<FieldType<F[K]>> }
/** What a structure is made from: some of its fields, or those of its anonymous members; the others become zero. */
export type FieldInit<F extends Fields, A extends string = never> = [A] extends [never]
  ? OwnInit<F>
  : OwnInit<F> & Readonly<Partial<Intersection<ValueOf<FieldType<F[A & keyof F]>>>>>

/**
 * What `Structure({…})` gives: a class to extend, or to use as it is. Objects are made of a literal with the fields'
 * names, or of values in their order.
 */
export interface StructureType<F extends Fields, A extends string = never> extends StructureClass {
  new (values?: FieldInit<F, A>): FieldValues<F, A>
  new (...values: readonly SetOf<FieldType<F[keyof F]>>[]): FieldValues<F, A>
  readonly prototype: FieldValues<F, A>
  /** Where each field lies. */
  readonly fields: { readonly [K in keyof F]: FieldInfo }
  /**
   * Adds fields behind those that the class has; for fields that mention the class itself. In a class that extends another class of yours they
   * begin behind all of that, its padding included, as in ctypes and C++. Throws ArgumentError once the class has been used.
   */
  define(fields: Fields): void
  /** Where a field lies, in bytes from the start; also one of an anonymous member. Throws ArgumentError for none of that name. */
  offsetof(name: keyof F | string): number
  // An object of it has these fields, too. It is not named: its function pointers would leave `x` of `{ f: x => … }` untyped.
  readonly [init]: FieldInit<F, A> | readonly SetOf<FieldType<F[keyof F]>>[]
}

/** The class of a structure or union as the library sees it. */
export interface StructureClass<I extends object = object> extends TypeStatics<'structure', I> {
  /** @internal */
  readonly [RECORD]: Record
  readonly fields: { readonly [name: string]: FieldInfo }
}
