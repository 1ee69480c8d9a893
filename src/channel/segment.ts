/**
 * The memory that Node and a Windows process share, and the bells of both sides. The memory is a file without a name,
 * which cannot be made shorter or longer, mapped once into this process.
 */
import {
  ARENA_OFFSET,
  ControlWord,
  MAGIC,
  REPLIES_SIZE,
  REPLY_OFFSET,
  THREAD_OFFSET,
  THREAD_SIZE,
  THREADS,
  ThreadWord,
  WIRE_VERSION,
} from '../codec/layout.js'
import { SessionStartError } from '../errors.js'
import { makePage, noteBell, noteClosed, noteDescriptors, PAGE, pagesOf, reclaimAbandoned } from './abandoned.js'
import { makeBell } from './bell.js'
import { type Address, errno, libc, viewOf } from './libc.js'
import { type SharedState, SharedWord } from './shared.js'

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const F_ADD_SEALS = 1033
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW: a DLL that makes the file shorter would end Node by SIGBUS. */
const SEALS = 1 | 2 | 4
const READ_WRITE = 1 | 2
const MAP_SHARED = 1
/** MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE: pages of zeros, for which no memory is set aside. */
const EMPTY = 0x2 | 0x20 | 0x4000
const MAP_FIXED = 0x10
/** MREMAP_MAYMOVE, MREMAP_FIXED: moves pages to an address, in the place of what is mapped there. */
const REPLACE = 1 | 2
const FAILED = 0xffff_ffff_ffff_ffffn
/** Bytes in front of the mailboxes. */
const HEAD = 0x1000
const KEEP_SIZE_AND_PUNCH_HOLE = 1 | 2

/** Plain data, so that it can be handed to other threads: descriptors and mapping belong to the process. */
export interface Segment {
  readonly address: Address
  readonly size: number
  readonly file: number
  /** Wakes the host's main loop. */
  readonly hostBell: number
  /** Wakes the host's bell thread, which wakes the other strands and serves the memory window. */
  readonly strandsBell: number
}

/**
 * How the host names descriptors of this process: by a process id and by numbers. In a sandbox these are not the id of
 * this process and its own numbers.
 */
export interface Seen {
  readonly process: number
  readonly descriptor: (fd: number) => number
}

/**
 * Makes the segment for an arena of `memory` bytes, with bells for `threads`. Throws SetupError if koffi is missing,
 * and SessionStartError if the system has no memory or no descriptor left.
 */
export function createSegment(memory: number, state: SharedState, threads: readonly number[]): Segment {
  const size = ARENA_OFFSET + memory
  const made: number[] = []
  let address = FAILED
  reclaimAbandoned()
  try {
    const file = libc().memfd_create('zugbruecke', MFD_CLOEXEC | MFD_ALLOW_SEALING)
    if (file < 0)
      throw new SessionStartError(
        `no memory can be shared (error ${errno()}): raise the limit of descriptors (ulimit -n)`,
      )
    made.push(file)
    if (libc().ftruncate(file, size) !== 0 || libc().fcntl(file, F_ADD_SEALS, SEALS) !== 0)
      throw new SessionStartError(
        `${mebibytes(size)} of memory cannot be shared (error ${errno()}): give less with the parameter "memory"`,
      )
    back(file, 0, REPLY_OFFSET)
    address = libc().mmap(null, pagesOf(size) + PAGE, READ_WRITE, EMPTY, -1, 0)
    if (address === FAILED || libc().mmap(address, size, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0) === FAILED)
      throw new SessionStartError(
        `${mebibytes(size)} of address space cannot be had (error ${errno()}): give less with the parameter "memory"`,
      )
    const range = { address, size }
    if (!makePage(range))
      throw new SessionStartError(
        `no memory can be shared (error ${errno()}): raise the limit of descriptors (ulimit -n)`,
      )
    for (const thread of threads) made.push(openBell({ ...range, file }, state, thread))
    const hostBell = makeBell()
    made.push(hostBell)
    const strandsBell = makeBell()
    made.push(strandsBell)
    noteDescriptors(range, [file, hostBell, strandsBell])
    return { address, size, file, hostBell, strandsBell }
  } catch (error) {
    for (const fd of made) libc().close(fd)
    if (address !== FAILED) unmap({ address, size })
    throw error
  }
}

/**
 * Makes the bell of the thread with this number, and memory for its replies, unless an earlier thread with the number
 * has left both. Returns the bell.
 */
export function openBell(
  segment: Pick<Segment, 'address' | 'size' | 'file'>,
  state: SharedState,
  thread: number,
): number {
  const known = Atomics.load(state.i32, SharedWord.bell + thread)
  if (known > 0) return known
  back(segment.file, REPLY_OFFSET + thread * REPLIES_SIZE, REPLIES_SIZE)
  const bell = makeBell()
  Atomics.store(state.i32, SharedWord.bell + thread, bell)
  noteBell(segment, thread, bell)
  return bell
}

/** Writes what the host reads first: the version of the wire, the size of the segment, and the threads' bells. */
export function writeHead(segment: Segment, state: SharedState, seen: Seen): void {
  const view = new DataView(viewOf(segment.address, HEAD))
  view.setUint32(ControlWord.magic, MAGIC, true)
  view.setUint32(ControlWord.version, WIRE_VERSION, true)
  view.setUint32(ControlWord.segmentSize, segment.size, true)
  view.setUint32(ControlWord.bellProcess, seen.process, true)
  for (let thread = 0; thread < THREADS; thread++) {
    const bell = Atomics.load(state.i32, SharedWord.bell + thread)
    if (bell > 0) writeBell(view, thread, seen.descriptor(bell))
  }
}

/** Tells the host the descriptor of a thread's bell, as the host names it. */
export function writeBell(view: DataView, thread: number, bell: number): void {
  view.setInt32(THREAD_OFFSET + thread * THREAD_SIZE + ThreadWord.bell, bell, true)
}

/**
 * Asks the system for the memory of a range of the file before anything touches it: where none is left this throws
 * SessionStartError, while touching would end the process by a signal.
 */
export function back(file: number, at: number, size: number): void {
  if (libc().fallocate(file, 0, at, size) !== 0)
    throw new SessionStartError(
      `the system has no ${mebibytes(size)} of memory left to share with Wine (error ${errno()})`,
    )
}

/** Gives the memory of a range back to the system. It must be backed again before it is used. */
export function unback(file: number, at: number, size: number): void {
  libc().fallocate(file, KEEP_SIZE_AND_PUNCH_HOLE, at, size)
}

/**
 * Replaces the segment's pages by private ones, in one step, so that a view that is still held never reaches unmapped
 * memory. The new pages have the contents of `ranges` (offsets and lengths), and zeros elsewhere.
 */
export function replacePages(
  { address, size }: Segment,
  ranges: readonly (readonly [at: number, length: number])[],
): void {
  const fresh = ranges.length > 0 ? libc().mmap(null, size, READ_WRITE, EMPTY, -1, 0) : FAILED
  if (fresh === FAILED) {
    libc().mmap(address, size, READ_WRITE, EMPTY | MAP_FIXED, -1, 0)
    return
  }
  const to = new Uint8Array(viewOf(fresh, size))
  const from = new Uint8Array(viewOf(address, size))
  for (const [at, length] of ranges) to.set(from.subarray(at, at + length), at)
  // moves the pages away from under `to`, which is not used any more
  libc().mremap(fresh, size, size, REPLACE, address)
}

/** Gives the addresses back. Only to be called when no thread has a view of them. */
export function unmap({ address, size }: Pick<Segment, 'address' | 'size'>): void {
  libc().munmap(address, pagesOf(size) + PAGE)
}

/** Closes the file and all bells, after threads that ring just now have finished. */
export function closeSegment(segment: Segment, state: SharedState): void {
  state.silence()
  noteClosed(segment)
  const bells = Array.from(state.i32.subarray(SharedWord.bell, SharedWord.asked)).filter(fd => fd > 0)
  for (const fd of [segment.file, segment.hostBell, segment.strandsBell, ...bells]) libc().close(fd)
}

const mebibytes = (size: number) => `${Math.ceil(size / 1048576)} MiB`
