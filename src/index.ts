/** The whole public surface but the default session. Importing it starts nothing. */
import './runtime/node-version.js'

export type { Header, HeaderType, ParsedHeader, Prototype } from './ctypes/header/index.js'
export * from './ctypes/index.js'
export type { Memsync, MemsyncCustom, MemsyncDirective, MemsyncPath, ShortMemsyncDirective } from './ctypes/memsync.js'
export * from './errors.js'
export type { DllSource, Pool, PoolStats } from './pool/face.js'
export { SessionPool } from './pool/pool.js'
export type { PoolOptions } from './pool/pool-options.js'
export type { MapOptions, PoolRoutine } from './pool/pool-routine.js'
export type { PoolEvents } from './pool/pool-sessions.js'
export type { Arch, Config } from './runtime/config.js'
export type {
  BatchDetail,
  BatchFunction,
  BatchOf,
  BatchOptions,
  ColumnOf,
  ColumnsOf,
  NumberResults,
  ResultsOf,
  RowsOf,
} from './session/batch/batch.js'
export type { Blocking, Both } from './session/core/both.js'
export type { LibraryKind, LibraryOptions } from './session/core/dll-state.js'
export type { Job } from './session/life/job.js'
export { type Logger, type LogLevel, type SessionMessage, useLogger } from './session/life/log.js'
export { readHeader } from './session/life/read-header.js'
export {
  CtypesSession,
  CtypesSession as ctypes_session,
  type OpenParameters,
  type SessionEvents,
} from './session/life/session.js'
export type { Allocation, TypedAllocation } from './session/surface/allocation.js'
export type { Library, LibraryConstructor, LibraryLoader } from './session/surface/library.js'
export type { SessionMemory } from './session/surface/memory.js'
export type { CallDetail, CallOptions, ErrCheck, Routine } from './session/surface/routine.js'
export type {
  SyncAllocation,
  SyncLibrary,
  SyncLoader,
  SyncMemory,
  SyncRoutine,
  SyncSession,
} from './session/surface/sync-session.js'
