/** Names of structured exceptions (winnt.h, ntstatus.h), and the errors made of them. */
import { EXCEPTION_UNBALANCED } from '../../codec/layout.js'
import type { RemoteMemory } from '../../ctypes/block.js'
import { AccessViolationError, ArgumentError, StructuredExceptionError } from '../../errors.js'

const NAMES: { readonly [code: number]: string } = {
  2147483649: 'guard page violation',
  2147483650: 'datatype misalignment',
  2147483651: 'breakpoint',
  2147483652: 'single step',
  3221225477: 'access violation',
  3221225478: 'page could not be read',
  3221225501: 'illegal instruction',
  3221225509: 'noncontinuable exception',
  3221225612: 'array bounds exceeded',
  3221225613: 'denormal float operand',
  3221225614: 'float division by zero',
  3221225615: 'inexact float result',
  3221225616: 'invalid float operation',
  3221225617: 'float overflow',
  3221225618: 'float stack over- or underflow',
  3221225619: 'float underflow',
  3221225620: 'integer division by zero',
  3221225621: 'integer overflow',
  3221225622: 'privileged instruction',
  3221225725: 'stack overflow',
  3221226356: 'heap corruption',
  3221226505: 'stack buffer overrun or fast fail',
  3765269347: 'C++ exception',
}

const ACCESS_VIOLATION = 0xc0000005
/**
 * Wine raises it in the place of a routine that it does not have. The host gives the address of the routine's name, in
 * STUB_NAME bytes.
 */
const WINE_STUB = 0x80000100
const STUB_NAME = 256
const UNKNOWN = 0xffffffffffffffffn
const hex = (value: number | bigint) => `0x${value.toString(16).toUpperCase()}`

export const exceptionName = (code: number): string => NAMES[code] ?? 'exception of the DLL’s own'

/** The error for a structured exception in `routine` that the session survived; `address` is 2⁶⁴ − 1 if unknown. */
export function exceptionError(
  routine: string,
  code: number,
  address: bigint,
  memory: RemoteMemory,
  row?: number,
): StructuredExceptionError | ArgumentError {
  if (code === EXCEPTION_UNBALANCED)
    return unbalancedError(routine, Number(address & 0xffffffffn) | 0, Number(address >> 32n), row)
  const known = address !== UNKNOWN && code !== WINE_STUB
  const where = row === undefined ? '' : ` in row ${row}`
  const what = code === WINE_STUB ? stubMessage(memory, address) : exceptionName(code)
  const message = `${routine}${where}: ${what} (${hex(code)})${known && code === ACCESS_VIOLATION ? ` at address ${hex(address)}` : ''}`
  const details = { routine, exceptionCode: code, ...(known ? { address } : {}), ...(row === undefined ? {} : { row }) }
  return code === ACCESS_VIOLATION
    ? new AccessViolationError(message, details)
    : new StructuredExceptionError(message, details)
}

/** The error for a routine that took `taken` bytes of arguments off the stack, and not the `declared` ones. */
function unbalancedError(routine: string, taken: number, declared: number, row?: number): ArgumentError {
  const where = row === undefined ? '' : ` in row ${row}`
  const off = Math.abs(taken - declared)
  const by = `${off} byte${off === 1 ? '' : 's'} ${taken > declared ? 'more' : 'less'} than declared`
  const advice =
    declared === 0
      ? `it is no cdecl routine: declare it with WinDLL or __stdcall (or __fastcall, __thiscall), and ${taken} bytes of arguments`
      : taken === 0
        ? 'it is a cdecl routine (CDLL, __cdecl), or it takes no arguments on the stack'
        : `its arguments on the stack are ${taken} bytes, those of the declaration ${declared}: correct argtypes or the convention`
  return new ArgumentError(
    `${routine}${where}: took ${by} off the stack when it returned: ${advice}. The session goes on`,
    {
      routine,
      ...(row === undefined ? {} : { row }),
    },
  )
}

function stubMessage(memory: RemoteMemory, address: bigint): string {
  const bytes = Buffer.alloc(STUB_NAME)
  try {
    if (address !== UNKNOWN) memory.read(address, bytes)
  } catch {
    // the session has ended meanwhile
  }
  const name = bytes.toString('latin1').replace(/\0.*/s, '')
  return `Wine has no ${name || 'routine of that name'}, which the DLL needs here; a newer Wine may have it`
}
