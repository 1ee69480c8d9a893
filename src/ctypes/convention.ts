/** Calling conventions of Windows. In 64 bits there is one, and the names mean nothing. */
export type Convention = 'cdecl' | 'stdcall' | 'thiscall' | 'fastcall'

/** Of each, its number on the wire. */
export const CONVENTIONS: { readonly [convention in Convention]: number } = {
  cdecl: 0,
  stdcall: 1,
  thiscall: 2,
  fastcall: 3,
}

/** A flag of what is declared: the first argument is where the result goes. */
export const RESULT_BY_ADDRESS = 8
