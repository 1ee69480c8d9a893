/** The WebAssembly encoder (assembly/encoder.ts): an instance for each session in each thread, over a small memory of its own. */
import { readFileSync } from 'node:fs'
import { SetupError } from '../errors.js'
import { WebAssembly } from './webassembly.js'

/** `message` is always 0: where the message is put together. Numbers that are ids or addresses are below 2^53. */
export interface Encoder {
  /** What has been written last. */
  readonly message: Int32Array
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

/** Throws SetupError if the package was not built. */
export function createEncoder(): Encoder {
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
