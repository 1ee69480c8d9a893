/** Names of structured exceptions (winnt.h, ntstatus.h), and the errors made of them. */
import { EXCEPTION_UNBALANCED } from '../../codec/layout.js'
import type { RemoteMemory } from '../../ctypes/block.js'
import { AccessViolationError, ArgumentError, StructuredExceptionError } from '../../errors.js'

const NAMES = new Map<number, string>([
  [0x80000001, 'guard page violation'],
  [0x80000002, 'datatype misalignment'],
  [0x80000003, 'breakpoint'],
  [0x80000004, 'single step'],
  [0xc0000005, 'access violation'],
  [0xc0000006, 'page could not be read'],
  [0xc000001d, 'illegal instruction'],
  [0xc0000025, 'noncontinuable exception'],
  [0xc000008c, 'array bounds exceeded'],
  [0xc000008d, 'denormal float operand'],
  [0xc000008e, 'float division by zero'],
  [0xc000008f, 'inexact float result'],
  [0xc0000090, 'invalid float operation'],
  [0xc0000091, 'float overflow'],
  [0xc0000092, 'float stack over- or underflow'],
  [0xc0000093, 'float underflow'],
  [0xc0000094, 'integer division by zero'],
  [0xc0000095, 'integer overflow'],
  [0xc0000096, 'privileged instruction'],
  [0xc00000fd, 'stack overflow'],
  [0xc0000374, 'heap corruption'],
  [0xc0000409, 'stack buffer overrun or fast fail'],
  [0xe06d7363, 'C++ exception'],
])

const ACCESS_VIOLATION = 0xc0000005
/**
 * Wine raises it in the place of a routine that it does not have. The host's address is then that of STUB_NAME bytes
 * with the routine's name.
 */
const WINE_STUB = 0x80000100
const STUB_NAME = 256
/** Stands for an address that the host does not know. */
const UNKNOWN = 0xffffffffffffffffn
const hex = (value: number | bigint) => `0x${value.toString(16).toUpperCase()}`

/** What a structured exception is called, by its code. */
export const exceptionName = (code: number): string => NAMES.get(code) ?? 'exception of the DLL’s own'

/**
 * The error for a structured exception in `routine` that the session survived. `address` is what the host says with
 * `code`: the address that was accessed, 2⁶⁴ − 1 if it is not known; or the numbers of an unbalanced stack.
 */
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
