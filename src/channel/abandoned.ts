/**
 * What becomes of sessions whose threads have all ended without a word (`worker.terminate()` of a thread that had started one, an
 * uncaught error in it): their descriptors and addresses belong to the process, and nobody is left who would give them back. So each
 * segment has a page behind it, out of the DLL's reach, that says which threads use it and what is open for it; and whoever starts the
 * program's next session looks through those pages, which the name of their memory tells from all else that is mapped.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { THREADS } from '../codec/layout.js'
import { type Address, libc, viewOf } from './libc.js'

/** Of the memory, as it stands in the process's map; another version of this page has another. */
const NAME = 'zugbruecke-threads-1'
export const PAGE = 4096
const MFD_CLOEXEC = 1
const READ_WRITE = 1 | 2
/** MAP_SHARED, MAP_FIXED. */
const IN_PLACE = 0x1 | 0x10
const FAILED = 0xffff_ffff_ffff_ffffn
/** LOCK_EX, LOCK_NB. */
const LOCK_NOW = 2 | 4
const SYS_GETTID = 186

/** Words of the page. Threads are noted as Linux numbers them, 0: none; so are descriptors that are closed. */
const Word = { owner: 0, pages: 1, descriptors: 2, viewers: 2 + 3 + THREADS, end: 2 + 3 + 2 * THREADS } as const
/** Indices of descriptors: the file, the host's two bells, and from here on those of threads. */
const BELLS = 3

/** Where a page lies, and that of its segment: whole pages are mapped. */
export interface Place {
  readonly address: Address
  readonly size: number
}

/** Of a segment, in whole pages. */
export const pagesOf = (size: number): number => Math.ceil(size / PAGE) * PAGE

const wordsOf = ({ address, size }: Place) => new Int32Array(viewOf(address + BigInt(pagesOf(size)), PAGE))

/** Locks an open file, unless somebody else has it locked; for as long as it is open. */
export const lockNow = (fd: number): boolean => libc().flock(fd, LOCK_NOW) === 0

let own = 0
/** This thread. */
const self = () => {
  own ||= libc().syscall(SYS_GETTID)
  return own
}

/** Makes the page behind a segment, whose addresses are reserved; false where there is no memory for it. */
export function makePage(place: Place): boolean {
  const file = libc().memfd_create(NAME, MFD_CLOEXEC)
  if (file < 0) return false
  try {
    const at = place.address + BigInt(pagesOf(place.size))
    if (libc().fallocate(file, 0, 0, PAGE) !== 0) return false
    if (libc().mmap(at, PAGE, READ_WRITE, IN_PLACE, file, 0) === FAILED) return false
    const words = wordsOf(place)
    words[Word.pages] = pagesOf(place.size) / PAGE
    // last: from now on others read it
    Atomics.store(words, Word.owner, self())
    return true
  } finally {
    libc().close(file)
  }
}

/** Notes the file and the host's bells. */
export function noteDescriptors(
  place: Place,
  descriptors: readonly [file: number, host: number, strands: number],
): void {
  wordsOf(place).set(descriptors, Word.descriptors)
}

/** Notes a thread's bell. */
export function noteBell(place: Place, thread: number, bell: number): void {
  Atomics.store(wordsOf(place), Word.descriptors + BELLS + thread, bell)
}

/** Notes that all descriptors are about to be closed. */
export function noteClosed(place: Place): void {
  wordsOf(place).fill(0, Word.descriptors, Word.viewers)
}

/** This thread, under its number in the session, looks at the segment from now on. */
export function noteViewer(place: Place, thread: number): void {
  Atomics.store(wordsOf(place), Word.viewers + thread, self())
}

/** … or the one with this number does no more. */
export function forgetViewer(place: Place, thread: number): void {
  Atomics.store(wordsOf(place), Word.viewers + thread, 0)
}

/** Gives back what sessions hold whose threads have all ended. Does nothing where the system does not show a process its own memory. */
export function reclaimAbandoned(): void {
  const opened: number[] = []
  const open = (path: string) => {
    const fd = openSync(path, 'r')
    opened.push(fd)
    return fd
  }
  try {
    const maps = open('/proc/self/maps')
    // another thread looks already, and does for all
    if (!lockNow(maps)) return
    const found = [...readFileSync(maps, 'latin1').matchAll(new RegExp(`^([0-9a-f]+)-.*/memfd:${NAME} `, 'gm'))]
    // not through an address: a thread that lives may unmap its own at any time
    const memory = found.length > 0 ? open('/proc/self/mem') : 0
    for (const [, address] of found) reclaim(memory, BigInt(`0x${address}`))
  } catch {
    // what could not be looked at now the next session's start looks at
  } finally {
    // the lock goes with its file
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
  // the page is being made: its threads live
  if (words[Word.owner] === 0) return
  const threads = [words[Word.owner], ...words.subarray(Word.viewers)]
  if (threads.some(thread => thread > 0 && existsSync(`/proc/self/task/${thread}`))) return
  for (const fd of words.subarray(Word.descriptors, Word.viewers)) if (fd > 0) libc().close(fd)
  const size = words[Word.pages] * PAGE
  libc().munmap(address - BigInt(size), size + PAGE)
}
