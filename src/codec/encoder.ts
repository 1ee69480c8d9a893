/** The WebAssembly encoder (assembly/encoder.ts), one instance for each thread, all over the session's shared memory. */
import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'
import { type SharedMemory, WebAssembly } from './webassembly.js'

/** Pages of 64 KiB: what the file has in front of its arena, and the threads' scratch. */
const SHARED_PAGES = 10

/** Offsets are bytes in the shared memory; numbers that are ids or addresses are below 2^53. */
export interface Encoder {
  /** `tag` is kind | thread << 8 | flags << 16. */
  header(slot: number, sequence: number, length: number, tag: number, extra: number): void
  /** Claims a slot of the ring for the message at `from`, copies and publishes it: the request's number, -1 if no slot is free. */
  send(from: number, length: number, tag: number): number
  /** Copies a message; `length` is rounded up to eight. */
  copy(to: number, from: number, length: number): void
  call(message: number, routine: number, count: number): void
  /** Of a Call that is put together: where the texts of its routine may go. */
  textRoom(message: number, address: number, size: number): void
  int(message: number, index: number, low: number, high: number): void
  address(message: number, index: number, value: number): void
  float(message: number, index: number, value: number): void
  double(message: number, index: number, value: number): void
  batch(
    message: number,
    texts: number,
    routine: number,
    flags: number,
    rows: number,
    resultStride: number,
    results: number,
    errors: number,
    lastErrors: number,
    errorCapacity: number,
    resultKind: number,
    count: number,
    textRoom: number,
  ): void
  column(message: number, index: number, pointer: bigint, stride: number, kind: number): void
  answer(message: number, low: number, high: number): void
}

let compiled: object | undefined

/** The memory that all threads of a session share. */
export function createSharedMemory(): SharedMemory {
  return new WebAssembly.Memory({ initial: SHARED_PAGES, maximum: SHARED_PAGES, shared: true })
}

/** Makes this thread's encoder over `memory`; throws SetupError if the package was not built. */
export function createEncoder(memory: SharedMemory): Encoder {
  if (!compiled) {
    const file = new URL('../../encoder.wasm', import.meta.url)
    let bytes: Uint8Array
    try {
      bytes = new Uint8Array(readFileSync(file))
    } catch (cause) {
      throw new SetupError(
        `the encoder ${file.pathname} is missing: run "npm run build", or install the package again`,
        { cause },
      )
    }
    compiled = new WebAssembly.Module(bytes)
  }
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Encoder
}
