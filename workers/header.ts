/** A thread that reads one header, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ParsedHeader, parseForAll } from '../src/ctypes/header/index.js'
import { types } from '../src/ctypes/types.js'
import { type EncodedError, encodeError } from '../src/errors.js'
import type { Arch } from '../src/runtime/config.js'

export interface ReadTask {
  readonly text: string
  readonly arch: Arch
}
export type ReadAnswer = { readonly parsed: ParsedHeader } | { readonly error: EncodedError }

function read({ text, arch }: ReadTask): ReadAnswer {
  try {
    return { parsed: parseForAll(text, { arch, ns: types(arch) as never }) }
  } catch (error) {
    return { error: encodeError(error) }
  }
}

parentPort?.postMessage(read(workerData as ReadTask))
