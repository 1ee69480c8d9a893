/** The file and the doorbells that a worker and its host share. Created, opened and unlinked at once: nothing is left behind, even after SIGKILL. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs, { closeSync, constants, existsSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { ARENA_OFFSET, MAGIC, STRANDS, WIRE_VERSION, Word } from '../codec/layout.js'
import { SessionStartError, SetupError } from '../errors.js'

/** Where segments are made; a file system in memory. */
const SHM = process.env.ZUGBRUECKE_SHM ?? '/dev/shm'
const CHUNK = 1 << 20
/** Of a segment's `hostDoorbells`, the one that wakes the host's thread behind the memory window. */
export const MEMORY_BELL = STRANDS
const BELL = new Uint8Array([1])

/** Descriptors belong to the process, so every thread of it may use them; the worker closes them. */
export interface SegmentDescriptors {
  readonly file: number
  /** Rung by the host; the worker blocks on it. */
  readonly nodeDoorbell: number
  /** Rung by the host for one who hears it in an event loop. */
  readonly idleDoorbell: number
  /** One for each strand, rung by the worker (the first wakes the host's main loop), and at MEMORY_BELL that of the memory window. */
  readonly hostDoorbells: readonly number[]
  readonly size: number
}

/** Makes the segment for an arena of `memory` bytes; throws SessionStartError when there is no room for it. */
export function createSegment(memory: number): SegmentDescriptors {
  sweep()
  const size = ARENA_OFFSET + memory
  const name = `${SHM}/zugbruecke-${process.pid}-${randomBytes(8).toString('hex')}`
  let free: number
  try {
    const { bavail, bsize } = fs.statfsSync(SHM) // by its object: see `node-version.ts`
    free = bavail * bsize
  } catch (cause) {
    throw new SetupError(`${SHM} is not there, and sessions share memory through it: mount a tmpfs on it`, { cause })
  }
  if (free < size) throw noRoom(size, free)
  const file = openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  // nobody else opens it by its name: the Windows side comes through this process's descriptor
  unlinkQuietly(name)
  const opened = [file]
  try {
    // written in full: a sparse file in a small tmpfs would kill the host at the first touch
    const zeros = new Uint8Array(Math.min(CHUNK, size))
    for (let at = 0; at < size; ) at += writeSync(file, zeros, 0, Math.min(zeros.length, size - at), at)
    const head = new Uint32Array(3)
    head[Word.magic / 4] = MAGIC
    head[Word.version / 4] = WIRE_VERSION
    head[Word.segmentSize / 4] = size
    writeSync(file, head, 0, 12, 0)
    const fifos = Array.from({ length: STRANDS + 3 }, (_, i) => `${name}.${i}`)
    try {
      // Node has no call for it
      execFileSync('mkfifo', ['-m', '600', ...fifos], { stdio: ['ignore', 'ignore', 'pipe'] })
      for (const fifo of fifos) opened.push(openSync(fifo, constants.O_RDWR))
    } finally {
      for (const fifo of fifos) unlinkQuietly(fifo)
    }
  } catch (cause) {
    for (const fd of opened) closeSync(fd)
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw noRoom(size, free)
    throw new SessionStartError(
      `the shared memory of the session could not be made in ${SHM}: ${(cause as Error).message}`,
      { cause },
    )
  }
  return { file, nodeDoorbell: opened[1], idleDoorbell: opened[2], hostDoorbells: opened.slice(3), size }
}

export function ring(doorbell: number): void {
  writeSync(doorbell, BELL)
}

/** The same for who does not know whether the session's descriptors are open still. */
export function ringIfThere(doorbell: number): void {
  try {
    ring(doorbell)
  } catch {
    // it has gone, and with it whoever read from there
  }
}

const closed = new WeakSet<SegmentDescriptors>()

/** Closes all. Twice is once: by then the numbers may be another thread's. */
export function closeSegment(segment: SegmentDescriptors): void {
  if (closed.has(segment)) return
  closed.add(segment)
  for (const fd of [segment.file, segment.nodeDoorbell, segment.idleDoorbell, ...segment.hostDoorbells]) closeSync(fd)
}

/** Removes what programs left that were killed in the few milliseconds between the making of a FIFO and its unlinking. */
function sweep(): void {
  let names: string[]
  try {
    names = readdirSync(SHM)
  } catch {
    return
  }
  for (const name of names) {
    const pid = /^zugbruecke-(\d+)-[0-9a-f]{16}\.\d+$/.exec(name)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) unlinkQuietly(`${SHM}/${name}`)
  }
}

function noRoom(size: number, free: number): SessionStartError {
  const mib = (n: number) => `${Math.floor(n / 1048576)} MiB`
  return new SessionStartError(
    `${SHM} has ${mib(free)} free and the session wants ${mib(size)}: give less with the parameter "memory", or make ${SHM} larger (docker: --shm-size)`,
  )
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // was never made
  }
}
