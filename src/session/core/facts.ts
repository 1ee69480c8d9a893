/** What a thread must know to use a session. Plain data and shared memory: crosses threads. */
import type { Segment } from '../../channel/segment.js'
import type { Arch } from '../../runtime/config.js'
import type { SandboxView } from '../../runtime/sandbox-files.js'

export interface SessionFacts {
  readonly id: string
  readonly arch: Arch
  /** The memory of the session's `SharedState`. */
  readonly memory: SharedArrayBuffer
  readonly segment: Segment
  /** The memory by which the program's sessions take turns, and this session's number there. */
  readonly turns: SharedArrayBuffer
  readonly number: number
  /** Linux's process ids of the Windows process and of Wine's server (0: not known). */
  readonly pid: number
  readonly server: number
  /** Address of the segment in the Windows process; 0 before that has told it. */
  readonly base: number
  /** In bytes. */
  readonly pointerSize: number
  /** Whether memory is read and written by the host, because this process is not permitted to. */
  readonly memoryByHost: boolean
  readonly pythonVersion: string
  /** Folder that relative paths of DLLs start from. */
  readonly cwd: string
  /** The Wine prefix, through which Windows paths lead to files. */
  readonly prefix: string
  /** What a sandbox shows of files; undefined outside of one. */
  readonly sandbox: SandboxView | undefined
  /** Name of the encoding of `char *`. */
  readonly encoding: string
  /** Milliseconds; Infinity is no limit. */
  readonly timeoutCall: number
  readonly timeoutStop: number
}
