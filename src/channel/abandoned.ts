/**
 * Releases sessions whose threads have all ended without notice (`worker.terminate()`, an uncaught error). Their
 * descriptors and mappings belong to the process, so that they outlive the threads. Behind each segment lies a page,
 * out of the DLL's reach, that lists the threads with a view of the segment and the descriptors opened for it. The
 * thread that starts the program's next session finds these pages by their name in /proc/self/maps, and releases each
 * segment that belongs to no living thread.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { THREADS } from '../codec/layout.js'
import { type Address, libc, viewOf } from './libc.js'

/** Name of the page's memory in /proc/self/maps. It changes whenever the layout of the page does. */
const NAME = 'zugbruecke-threads-1'
export const PAGE = 4096
const MFD_CLOEXEC = 1
const READ_WRITE = 1 | 2
/** MAP_SHARED, MAP_FIXED: replaces what is mapped at the address. */
const IN_PLACE = 0x1 | 0x10
const FAILED = 0xffff_ffff_ffff_ffffn
/** LOCK_EX, LOCK_NB: an exclusive lock, without waiting for it. */
const LOCK_NOW = 2 | 4
const SYS_GETTID = 186

/** Indices of the page's words. A thread is noted by its Linux thread id; 0 is no thread, or no open descriptor. */
const Word = { owner: 0, pages: 1, descriptors: 2, viewers: 2 + 3 + THREADS, end: 2 + 3 + 2 * THREADS } as const
/** Among the descriptors, the index of the first thread's bell; the file and the host's two bells stand before it. */
const BELLS = 3

/** Address and size in bytes of a segment. Its page lies behind it, at the next multiple of PAGE. */
export interface SegmentRange {
  readonly address: Address
  readonly size: number
}

/** Bytes of whole pages that a segment of `size` bytes takes. */
export const pagesOf = (size: number): number => Math.ceil(size / PAGE) * PAGE

const wordsOf = ({ address, size }: SegmentRange) => new Int32Array(viewOf(address + BigInt(pagesOf(size)), PAGE))

/** Locks an open file until it is closed. False if somebody else has locked it. */
export const lockNow = (fd: number): boolean => libc().flock(fd, LOCK_NOW) === 0

let own = 0
/** Linux's id of this thread. */
const self = () => {
  own ||= libc().syscall(SYS_GETTID)
  return own
}

/** Maps the page behind a segment, at addresses that are reserved already; false where there is no memory for it. */
export function makePage(range: SegmentRange): boolean {
  const file = libc().memfd_create(NAME, MFD_CLOEXEC)
  if (file < 0) return false
  try {
    const at = range.address + BigInt(pagesOf(range.size))
    if (libc().fallocate(file, 0, 0, PAGE) !== 0) return false
    if (libc().mmap(at, PAGE, READ_WRITE, IN_PLACE, file, 0) === FAILED) return false
    const words = wordsOf(range)
    words[Word.pages] = pagesOf(range.size) / PAGE
    // written last: other threads read the page from now on
    Atomics.store(words, Word.owner, self())
    return true
  } finally {
    libc().close(file)
  }
}

/** Notes the descriptors of the segment's file and of the host's bells. */
export function noteDescriptors(
  range: SegmentRange,
  descriptors: readonly [file: number, host: number, strands: number],
): void {
  wordsOf(range).set(descriptors, Word.descriptors)
}

/** Notes a thread's bell. */
export function noteBell(range: SegmentRange, thread: number, bell: number): void {
  Atomics.store(wordsOf(range), Word.descriptors + BELLS + thread, bell)
}

/** Notes that all descriptors are about to be closed. */
export function noteClosed(range: SegmentRange): void {
  wordsOf(range).fill(0, Word.descriptors, Word.viewers)
}

/** Notes that this thread, which has the number `thread` in the session, has a view of the segment. */
export function noteViewer(range: SegmentRange, thread: number): void {
  Atomics.store(wordsOf(range), Word.viewers + thread, self())
}

/** Notes that the thread with this number has no view of the segment any more. */
export function forgetViewer(range: SegmentRange, thread: number): void {
  Atomics.store(wordsOf(range), Word.viewers + thread, 0)
}

/**
 * Releases what sessions hold whose threads have all ended. Does nothing where the system does not let a process read
 * its own memory.
 */
export function reclaimAbandoned(): void {
  const opened: number[] = []
  const open = (path: string) => {
    const fd = openSync(path, 'r')
    opened.push(fd)
    return fd
  }
  try {
    const maps = open('/proc/self/maps')
    // another thread is doing this now, for the whole program
    if (!lockNow(maps)) return
    const found = [...readFileSync(maps, 'latin1').matchAll(new RegExp(`^([0-9a-f]+)-.*/memfd:${NAME} `, 'gm'))]
    // read through the file: a living thread may unmap its page at any time, and reading that address would end the
    // program
    const memory = found.length > 0 ? open('/proc/self/mem') : 0
    for (const [, address] of found) reclaim(memory, BigInt(`0x${address}`))
  } catch {
    // nothing depends on it: the start of the next session tries again
  } finally {
    // closing the file releases the lock
    for (const fd of opened) closeSync(fd)
  }
}

function reclaim(memory: number, address: Address): void {
  const words = new Int32Array(Word.end)
  try {
    readSync(memory, words, 0, words.byteLength, address)
  } catch {
    return // another thread has unmapped it meanwhile
  }
  // the page is still being made, by a thread that lives
  if (words[Word.owner] === 0) return
  const threads = [words[Word.owner], ...words.subarray(Word.viewers)]
  if (threads.some(thread => thread > 0 && existsSync(`/proc/self/task/${thread}`))) return
  for (const fd of words.subarray(Word.descriptors, Word.viewers)) if (fd > 0) libc().close(fd)
  const size = words[Word.pages] * PAGE
  libc().munmap(address - BigInt(size), size + PAGE)
}
