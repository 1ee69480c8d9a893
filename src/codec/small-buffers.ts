/**
 * The typed arrays of a call whose arguments contain no other memory that is copied, where they are small together.
 * They are copied to the arena and back word by word, which is faster than an image with its blocks, pieces and links.
 */
import { lost } from '../ctypes/given.js'
import type { Encoder } from './encoder.js'

/** The most bytes that the arrays of a call have together: with more, an image costs little beside the copying. */
const LARGEST = 2048
/** Bytes that each array is aligned to in the arena. */
const ALIGNED = 16

type Words = Int32Array | Uint8Array

/** The small arrays of one call. */
export class SmallBuffers {
  /** How many arrays there are. */
  count = 0
  /** Bytes that they need in the arena. */
  size = 0
  /** These lists are kept from call to call, since a program often passes the same array again. */
  readonly #given: ArrayBufferView[] = []
  readonly #words: Words[] = []
  readonly #arguments: number[] = []
  readonly #offsets: number[] = []
  readonly #lengths: number[] = []
  /** The contents as they were sent; set before a callback runs that may change the arrays. */
  #before: Words[] | undefined

  /** Begins the list of another call. */
  clear(): void {
    this.count = 0
    this.size = 0
    this.#before = undefined
  }

  /**
   * Adds the array of an argument. False if the arrays would be too large together, or two of them be views of one
   * ArrayBuffer.
   */
  add(argument: number, given: ArrayBufferView): boolean {
    const number = this.count
    const { byteLength } = given
    if (this.size + byteLength > LARGEST) return false
    // an array that has no bytes may have been transferred, and then `wordsOf` throws
    const known = byteLength > 0 && this.#given[number] === given && this.#words[number].byteLength === byteLength
    const words = known ? this.#words[number] : wordsOf(given)
    for (let i = 0; i < number; i++) if (this.#words[i].buffer === words.buffer) return false
    this.#given[number] = given
    this.#words[number] = words
    this.#arguments[number] = argument
    this.#offsets[number] = this.size
    this.#lengths[number] = byteLength
    this.size += Math.ceil(byteLength / ALIGNED) * ALIGNED
    this.count = number + 1
    return true
  }

  /** Whether `is` holds for the memory of one of the arrays. */
  some(is: (buffer: ArrayBufferLike) => boolean): boolean {
    for (let i = 0; i < this.count; i++) if (is(this.#words[i].buffer)) return true
    return false
  }

  /** The memory of each array. */
  owners(): ArrayBufferLike[] {
    return this.#words.slice(0, this.count).map(({ buffer }) => buffer)
  }

  /** Copies the arrays to `at`, whose address is `address`, and writes their addresses into the call's message. */
  put(i32: Int32Array, u8: Uint8Array, at: number, address: number, encoder: Encoder): void {
    for (let i = 0; i < this.count; i++) {
      const words = this.#words[i]
      const offset = this.#offsets[i]
      copy(words, i32, u8, at + offset)
      encoder.address(this.#arguments[i], address + offset)
    }
  }

  /**
   * To be called before a callback runs, which may write to the arrays: from now on only bytes that the routine changes
   * are copied back.
   */
  remember(): void {
    // memory that the program has taken away is an error when it is to be copied back
    this.#before ??= this.#words.slice(0, this.count).map(words => (words.length > 0 ? words.slice() : words))
  }

  /**
   * Copies the arrays back from where `put` has copied them. Throws ArgumentError for one that the program has taken
   * away meanwhile.
   */
  readBack(i32: Int32Array, u8: Uint8Array, at: number): void {
    let isWhole = true
    for (let i = 0; i < this.count; i++) {
      const words = this.#words[i]
      if (words.byteLength !== this.#lengths[i]) {
        isWhole = false
        continue
      }
      const from = at + this.#offsets[i]
      const before = this.#before?.[i]
      if (before && before.length > 0) merge(bytesOf(words), bytesOf(before), u8, from)
      else if (words instanceof Int32Array) {
        const first = from >> 2
        for (let j = 0; j < words.length; j++) words[j] = i32[first + j]
      } else for (let j = 0; j < words.length; j++) words[j] = u8[from + j]
    }
    if (!isWhole) throw lost()
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
