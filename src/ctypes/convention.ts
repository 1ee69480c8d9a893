/** Calling conventions of Windows. In 64 bits there is one, and the names mean nothing. */
export type Convention = 'cdecl' | 'stdcall' | 'thiscall' | 'fastcall'
