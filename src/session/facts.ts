/** What a thread must know to use a session. Plain data and shared memory: crosses threads. */
import type { SegmentDescriptors } from '../channel/segment.js'
import type { SharedMemory } from '../codec/webassembly.js'
import type { Arch } from '../runtime/config.js'

export interface SessionFacts {
  readonly id: string
  readonly arch: Arch
  readonly memory: SharedMemory
  readonly segment: SegmentDescriptors
  /** Of the Windows side, as Linux numbers it. */
  readonly pid: number
  /** Address of the segment in the Windows process. */
  readonly base: number
  readonly pointerSize: number
  /** Whether memory is read and written by the host, because this process is not permitted to. */
  readonly memoryByHost: boolean
  readonly pythonVersion: string
  /** Folder that relative paths of DLLs start from. */
  readonly cwd: string
  /** The Wine prefix, through which Windows paths lead to files. */
  readonly prefix: string
  readonly encoding: string
  /** Milliseconds; Infinity is no limit. */
  readonly timeoutCall: number
}
