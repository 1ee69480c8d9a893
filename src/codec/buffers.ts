/**
 * Small typed arrays that a call is given, where nothing else of it is memory that is copied. They go there and come back word by word,
 * which spares them the blocks, pieces and links of an image.
 */
import type { Encoder } from './encoder.js'

/** Bytes of all of one call: of more, copying is what takes the time. */
const LARGEST = 2048
/** What memory of theirs lies at a multiple of. */
const ALIGNED = 16

type Words = Int32Array | Uint8Array

export class Buffers {
  count = 0
  /** Bytes that they need there. */
  size = 0
  /** Each stays until another takes its place, for a program mostly gives the same again. */
  readonly #given: ArrayBufferView[] = []
  readonly #words: Words[] = []
  readonly #arguments: number[] = []
  readonly #offsets: number[] = []
  /** As they were sent, once a callback has run that may have changed them here. */
  #before: Words[] | undefined

  clear(): void {
    this.count = 0
    this.size = 0
    this.#before = undefined
  }

  /** Takes one in as an argument. False: they would be too many bytes, or two of them one memory. */
  take(argument: number, given: ArrayBufferView): boolean {
    const number = this.count
    const { byteLength } = given
    if (this.size + byteLength > LARGEST) return false
    const known = this.#given[number] === given && this.#words[number].byteLength === byteLength
    const words = known ? this.#words[number] : wordsOf(given)
    for (let i = 0; i < number; i++) if (this.#words[i].buffer === words.buffer) return false
    this.#given[number] = given
    this.#words[number] = words
    this.#arguments[number] = argument
    this.#offsets[number] = this.size
    this.size += Math.ceil(byteLength / ALIGNED) * ALIGNED
    this.count = number + 1
    return true
  }

  /** Whether it is the memory of one of them. */
  some(is: (buffer: ArrayBufferLike) => boolean): boolean {
    for (let i = 0; i < this.count; i++) if (is(this.#words[i].buffer)) return true
    return false
  }

  /** The memory of each. */
  owners(): ArrayBufferLike[] {
    return this.#words.slice(0, this.count).map(({ buffer }) => buffer)
  }

  /** Writes them to `at`, where the address is `address`, and their addresses into the call that is put together. */
  put(i32: Int32Array, u8: Uint8Array, at: number, address: number, encoder: Encoder): void {
    for (let i = 0; i < this.count; i++) {
      const words = this.#words[i]
      const offset = this.#offsets[i]
      copy(words, i32, u8, at + offset)
      encoder.address(this.#arguments[i], address + offset)
    }
  }

  /** A callback is about to run, which may write to them: from now on only what the routine changes is taken back. */
  remember(): void {
    this.#before ??= this.#words.slice(0, this.count).map(words => words.slice())
  }

  /** Reads them from where they were put. */
  takeBack(i32: Int32Array, u8: Uint8Array, at: number): void {
    for (let i = 0; i < this.count; i++) {
      const words = this.#words[i]
      const from = at + this.#offsets[i]
      const before = this.#before?.[i]
      if (before) merge(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), bytesOf(before), u8, from)
      else if (words instanceof Int32Array) {
        const first = from >> 2
        for (let j = 0; j < words.length; j++) words[j] = i32[first + j]
      } else for (let j = 0; j < words.length; j++) words[j] = u8[from + j]
    }
  }
}

function copy(words: Words, i32: Int32Array, u8: Uint8Array, at: number): void {
  if (words instanceof Int32Array) {
    const first = at >> 2
    for (let j = 0; j < words.length; j++) i32[first + j] = words[j]
  } else for (let j = 0; j < words.length; j++) u8[at + j] = words[j]
}

function merge(here: Uint8Array, before: Uint8Array, there: Uint8Array, from: number): void {
  for (let i = 0; i < here.length; i++) {
    const now = there[from + i]
    if (now !== before[i]) here[i] = now
  }
}

function wordsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Words {
  return byteOffset % 4 === 0 && byteLength % 4 === 0
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint8Array(buffer, byteOffset, byteLength)
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Words) => new Uint8Array(buffer, byteOffset, byteLength)
