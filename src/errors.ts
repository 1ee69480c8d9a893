/**
 * Every error this library makes. Each has a `code` for programs and a message that says what to do.
 *
 * They cross threads whole: `encodeError` turns one into plain data and `decodeError` makes the same class of it again
 * (structured clone and Comlink alike keep only `message`, `name` and `stack`).
 */

/** Fields of an error beside its message; each subclass names its own. */
export type ErrorDetails = { readonly [key: string]: unknown }

/** The base of all errors of this library. */
export class ZugbrueckeError extends Error {
  /** Stable identifier for programs, e.g. `ERR_ZUGBRUECKE_ARGUMENT`. */
  readonly code: string = 'ERR_ZUGBRUECKE'
  /** The worker (host and process) that it happened on, of a ClusterPool's work. */
  declare readonly worker?: string
  constructor(message: string, details: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...fields } = details
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    Object.assign(this, fields)
  }
}

/** Wine, Windows Python or the built parts of this package are missing or unusable. `zugbruecke doctor` says how to mend it. */
export class SetupError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_SETUP'
}
/** An unknown or ill-typed parameter; names the file or variable, the key and the nearest name. */
export class ConfigError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_CONFIG'
}
/** The Windows side did not come up. */
export class SessionStartError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_SESSION_START'
}
/** The session has ended; nothing derived from it works any more. `cause` is the crash, where it was one. */
export class SessionTerminatedError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_SESSION_TERMINATED'
}
/** The Windows process died while it had work. */
export class SessionCrashedError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_SESSION_CRASHED'
  /** The routine that ran, where one did. */
  declare readonly routine?: string
  /** Exit code of the process, or the code of the structured exception that ended it. */
  declare readonly exitCode?: number
  /** The row of the batch that ran, where one did. */
  declare readonly row?: number
  /** The last lines that the Windows side wrote to stderr. */
  declare readonly stderr?: string
}
/** A call passed its time limit. The session is dead: nothing else stops a routine that runs. */
export class CallTimeoutError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_CALL_TIMEOUT'
  declare readonly routine?: string
  /** Milliseconds. */
  declare readonly timeout?: number
  /** The row of the batch that ran, where one did. */
  declare readonly row?: number
}
/** A call, batch or job was aborted by its signal. */
export class AbortError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_ABORT'
}
export class DllNotFoundError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_DLL_NOT_FOUND'
  declare readonly dll?: string
}
/** The DLL is for another architecture than the session (seen in its PE header, before loading). */
export class WrongArchitectureError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_WRONG_ARCHITECTURE'
  declare readonly dll?: string
}
/** The DLL has no such export; `near` lists similar names. */
export class RoutineNotFoundError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_ROUTINE_NOT_FOUND'
  declare readonly near?: readonly string[]
}
/** Wrong number or kind of argument, or a value out of range. Nothing was sent. */
export class ArgumentError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_ARGUMENT'
  declare readonly routine?: string
  /** Of the argument, or of the column of a batch; counted from 1. */
  declare readonly position?: number
  /** Of a batch; counted from 0. */
  declare readonly row?: number
}
/** One row that failed in a batch. */
export interface RowError {
  readonly row: number
  readonly error: ZugbrueckeError
}
/** Some rows of a batch failed; carries everything that the others gave. */
export class BatchError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_BATCH'
  declare readonly results: unknown
  declare readonly errors: readonly RowError[]
  declare readonly lastErrors: Uint32Array | undefined
  declare readonly out: readonly unknown[]
}
/** An address that is not readable (or writable) in the Windows process. */
export class MemoryAccessError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_MEMORY_ACCESS'
  declare readonly address?: bigint
  /** The routine that was called with it, where one was. */
  declare readonly routine?: string
}

/**
 * Says in an error where in what the user gave it was met. Who knows more puts his part in front of what is said already (a field, a
 * row, an argument); the last is who knows the routine.
 */
export function placed(
  error: unknown,
  where: string,
  place: Pick<ArgumentError, 'routine' | 'position' | 'row'> = {},
): unknown {
  const isOurs = error instanceof ArgumentError || error instanceof MemoryAccessError
  if (!isOurs || error.routine !== undefined) return error
  const { routine } = place
  error.message = `${routine === undefined ? '' : `${routine}: `}${where}: ${error.message}`
  return Object.assign(error, place)
}

/** A Windows error code in words: what `WinError()` builds. */
export class WindowsError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_WINDOWS'
  declare readonly winerror: number
  declare readonly strerror: string
}
/** A structured exception inside a routine that the session survived. */
export class StructuredExceptionError extends ZugbrueckeError {
  override readonly code: string = 'ERR_ZUGBRUECKE_STRUCTURED_EXCEPTION'
  declare readonly routine?: string
  /** For instance 0xC0000094. */
  declare readonly exceptionCode: number
  /** The address of the data it concerned, where there is one. */
  declare readonly address?: bigint
}
/** The routine touched a bad address (0xC0000005); the session survived it. */
export class AccessViolationError extends StructuredExceptionError {
  override readonly code = 'ERR_ZUGBRUECKE_ACCESS_VIOLATION'
}
/** Redis cannot be reached or used, or what is in its queue is not for this version: of `zugbruecke/cluster`. */
export class ClusterError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_CLUSTER'
}
/** Work of a `ClusterPool` that nobody took: no worker was there for as long as `waitTimeout` says. Nothing of it was done. */
export class NoWorkerError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_NO_WORKER'
}
/** A worker of a cluster died, hung or was cut off while it had work, which may have been done or not. */
export class WorkerLostError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_WORKER_LOST'
  declare readonly routine?: string
  /** Of a batch: the rows that it, and others that were lost, had, as the first of them and how many, in order; no others are in doubt. */
  declare readonly rows?: readonly { readonly first: number; readonly count: number }[]
}
/** The bounded queue of a pool is full. */
export class QueueFullError extends ZugbrueckeError {
  override readonly code = 'ERR_ZUGBRUECKE_QUEUE_FULL'
}

const classes = {
  ZugbrueckeError,
  SetupError,
  ConfigError,
  SessionStartError,
  SessionTerminatedError,
  SessionCrashedError,
  CallTimeoutError,
  AbortError,
  DllNotFoundError,
  WrongArchitectureError,
  RoutineNotFoundError,
  ArgumentError,
  BatchError,
  MemoryAccessError,
  WindowsError,
  StructuredExceptionError,
  AccessViolationError,
  ClusterError,
  NoWorkerError,
  WorkerLostError,
  QueueFullError,
} as const

/** An error as plain data that structured clone carries. */
export interface EncodedError {
  readonly className: string
  /** Whether the class is one of this library's: others have errors of the same names. */
  readonly ours: boolean
  readonly message: string
  readonly stack: string | undefined
  readonly fields: ErrorDetails
  /** Of an error; what else a cause may be is `value`, where it can be cloned. */
  readonly cause?: EncodedError | { readonly value: unknown } | undefined
}

/** Causes of causes are followed so far: they may go in a circle. */
const DEPTH = 16

/** What was thrown need not be an error, nor anything that can be asked what it is. */
function asError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(String(thrown))
  } catch {
    return new Error(`${typeof thrown === 'function' ? 'a function' : 'an object'} was thrown that cannot be read`)
  }
}

/** Turns any thrown value into plain data; fields that cannot be cloned (functions, say) are left out. */
export function encodeError(thrown: unknown, depth = 0): EncodedError {
  const error = asError(thrown)
  const fields: { [key: string]: unknown } = {}
  for (const [key, value] of Object.entries(error)) {
    if (key === 'name' || key === 'code' || key === 'cause') continue
    const field = key === 'errors' && Array.isArray(value) ? value.map(encodeRow) : value
    if (canBeCloned(field)) fields[key] = field
  }
  // other codes than ours, which the class knows, are fields like any
  if (!(error instanceof ZugbrueckeError) && 'code' in error && canBeCloned(error.code)) fields.code = error.code
  const { name: className, message, stack } = error
  const ours = error instanceof ZugbrueckeError
  return { className, ours, message, stack, fields, cause: encodeCause(error, depth) }
}

function encodeCause({ cause }: Error, depth: number): EncodedError['cause'] {
  if (cause === undefined || depth === DEPTH) return undefined
  if (cause instanceof Error) return encodeError(cause, depth + 1)
  return { value: canBeCloned(cause) ? cause : String(cause) }
}

function canBeCloned(value: unknown): boolean {
  // the results of a batch, perhaps: not to be copied for a question
  if (ArrayBuffer.isView(value)) return true
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol'
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

/** The inverse of `encodeError`: an instance of the same class where it is one of ours or one of the language's. */
export function decodeError(encoded: EncodedError): Error {
  try {
    return decoded(encoded)
  } catch (cause) {
    throw new ArgumentError(`decodeError takes what encodeError gave: ${asError(cause).message}`, { cause })
  }
}

function decoded(encoded: EncodedError): Error {
  if (typeof encoded.className !== 'string' || typeof encoded.message !== 'string')
    throw new Error('an object with className and message')
  const given = encoded.cause
  const cause = given === undefined ? {} : { cause: 'value' in given ? given.value : decoded(given) }
  const fields: { [key: string]: unknown } = { ...encoded.fields }
  if (Array.isArray(fields.errors)) fields.errors = fields.errors.map(decodeRow)
  // it would become what the error inherits from
  Reflect.deleteProperty(fields, '__proto__')
  const own = encoded.ours ? named<typeof ZugbrueckeError>(classes, encoded.className) : undefined
  let error: Error
  if (own) error = new own(encoded.message, { ...fields, ...cause })
  else {
    const builtin = named<ErrorConstructor>(BUILTIN, encoded.className) ?? Error
    error = Object.assign(new builtin(encoded.message, cause), fields)
    if (error.name !== encoded.className)
      Object.defineProperty(error, 'name', { value: encoded.className, configurable: true, writable: true })
  }
  if (encoded.stack) error.stack = encoded.stack
  return error
}

const BUILTIN = { TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }
const named = <T>(classes: object, name: string): T | undefined =>
  Object.hasOwn(classes, name) ? (classes as { readonly [name: string]: T })[name] : undefined

const encodeRow = (row: RowError) =>
  row?.error instanceof Error ? { row: row.row, error: encodeError(row.error) } : row
const decodeRow = (row: { row: number; error: EncodedError }) =>
  row?.error?.className ? { row: row.row, error: decodeError(row.error) } : row
