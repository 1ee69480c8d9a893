/** How text becomes the bytes of a `char *` and back. */
import { ArgumentError } from '../errors.js'

/** An encoding of `char *`. */
export interface Encoding {
  readonly name: string
  /** Without a terminating zero; throws ArgumentError for what cannot be encoded. */
  encode(text: string): Uint8Array
  decode(bytes: Uint8Array): string
}

const encoder = new TextEncoder()
// A mark at the beginning is a character like any other here: what was written is what is read.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** The encoding of what belongs to no session. */
export const utf8: Encoding = {
  name: 'utf-8',
  encode(text) {
    if (loneSurrogate.test(text)) throw new ArgumentError('the string has a lone surrogate, which UTF-8 cannot encode')
    return encoder.encode(text)
  },
  decode: bytes => decoder.decode(isShared(bytes) ? bytes.slice() : bytes),
}

/** TextDecoder refuses shared memory. */
const isShared = (bytes: Uint8Array) =>
  typeof SharedArrayBuffer !== 'undefined' && (bytes.buffer as object) instanceof SharedArrayBuffer

/** UTF-16 units, lone surrogates included, in chunks that `fromCharCode` takes. */
export function decodeUtf16(view: DataView, offset: number, count: number, little = true): string {
  let text = ''
  for (let done = 0; done < count; ) {
    const units: number[] = []
    for (const end = Math.min(count, done + 4096); done < end; done++)
      units.push(view.getUint16(offset + 2 * done, little))
    text += String.fromCharCode(...units)
  }
  return text
}

/** Writes UTF-16 units, lone surrogates included. */
export function encodeUtf16(text: string, into: DataView, offset: number, little = true): void {
  for (let i = 0; i < text.length; i++) into.setUint16(offset + 2 * i, text.charCodeAt(i), little)
}
