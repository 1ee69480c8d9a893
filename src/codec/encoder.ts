/**
 * The WebAssembly encoder (assembly/encoder.ts). Each thread has an instance for each session, with a small memory of
 * its own.
 */
import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'
import { WebAssembly } from './webassembly.js'

/**
 * Builds messages at the beginning of its memory. Numbers of routines and addresses that it is given are below 2^53.
 */
export interface Encoder {
  /** The memory, which begins with the message written last. */
  readonly message: Int32Array
  /** The head of a Call with `count` arguments. */
  call(routine: number, count: number): void
  /** The address and size of a Call's room for the texts that the routine leaves. */
  textRoom(address: number, size: number): void
  /** The argument at an index of a Call: 64 bits in two halves. The next three functions likewise. */
  int(index: number, low: number, high: number): void
  address(index: number, value: number): void
  float(index: number, value: number): void
  double(index: number, value: number): void
  /** A Batch without its columns. */
  batch(
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
  /** The column at an index of a Batch. */
  column(index: number, pointer: bigint, stride: number, kind: number): void
  /** A Return with the two halves of its result. */
  answer(low: number, high: number): void
}

let compiled: object | undefined

/** Makes an encoder. Throws SetupError if the package was not built, and where Node has no WebAssembly. */
export function createEncoder(): Encoder {
  if (!WebAssembly)
    throw new SetupError('calls are put together by WebAssembly, which this Node runs without: leave out --jitless')
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
  const { memory, ...functions } = new WebAssembly.Instance(compiled).exports
  return Object.assign(functions, { message: new Int32Array(memory.buffer) }) as unknown as Encoder
}
