/** Encodings of `char *` by their WHATWG names. Decoding is the platform's; encoding inverts it, for it has none but UTF-8. */
import { type Encoding, utf8 } from '../ctypes/encoding.js'
import { ArgumentError, ConfigError } from '../errors.js'

const made = new Map<string, Encoding>([
  ['utf-8', utf8],
  ['utf8', utf8],
])

/** Throws ConfigError for an encoding whose characters are not one byte each (UTF-8 apart). */
export function encodingFor(name: string): Encoding {
  const known = made.get(name)
  if (known) return known
  const encoding = singleByte(name)
  made.set(name, encoding)
  return encoding
}

function singleByte(name: string): Encoding {
  // "stream", for without it Node 20 takes windows-1252 for Latin-1; and it tells a first byte of several from a whole character
  const every = Array.from({ length: 256 }, (_, byte) =>
    new TextDecoder(name).decode(Uint8Array.of(byte), { stream: true }),
  )
  if (every.some((text, byte) => text.length !== 1 || (byte < 128 && text !== String.fromCharCode(byte))))
    throw new ConfigError(
      `the encoding ${name} is not one byte for each character, which "encoding" needs to be (or utf-8)`,
    )
  const bytes = new Map(every.flatMap((text, byte) => (text === '\uFFFD' ? [] : [[text, byte] as const])))
  return {
    name,
    encode(text) {
      const encoded = new Uint8Array(text.length)
      for (let i = 0; i < text.length; i++) {
        const byte = bytes.get(text[i])
        if (byte === undefined) throw new ArgumentError(`${JSON.stringify(text[i])} is not in the encoding ${name}`)
        encoded[i] = byte
      }
      return encoded
    },
    decode(encoded) {
      let text = ''
      for (const byte of encoded) text += every[byte]
      return text
    },
  }
}
