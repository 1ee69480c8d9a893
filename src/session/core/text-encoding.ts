/**
 * Encodings of `char *` by their WHATWG names. For those of one byte per character Node decodes and this encodes, by a
 * table of what each byte decodes to: Node encodes UTF-8 alone. For those of several bytes, and where Node's decoder
 * differs from Windows' code page, iconv-lite does both.
 */
import { createRequire } from 'node:module'
import { type Encoding, utf8 } from '../../ctypes/encoding.js'
import { ArgumentError, ConfigError } from '../../errors.js'

const made = new Map<string, Encoding>()

/** What iconv-lite calls the code pages that Windows means by these names. */
const pages = {
  ibm866: 'cp866',
  shift_jis: 'cp932',
  gbk: 'cp936',
  'euc-kr': 'cp949',
  big5: 'cp950',
  gb18030: 'gb18030',
  'euc-jp': 'euc-jp',
} as const

/**
 * Throws ConfigError for an encoding in which text cannot end with a zero byte, or in which bytes change the meaning
 * of later ones.
 */
export function encodingFor(name: string): Encoding {
  const known = made.get(name)
  if (known) return known
  const encoding = make(name)
  made.set(name, encoding)
  return encoding
}

function make(name: string): Encoding {
  const { encoding: standard } = new TextDecoder(name)
  if (standard === utf8.name) return utf8
  if (Object.hasOwn(pages, standard)) return codePage(name, pages[standard as keyof typeof pages])
  return singleByte(name)
}

function codePage(name: string, page: (typeof pages)[keyof typeof pages]): Encoding {
  // loaded here, since its tables take time to read and few programs need them
  const { encode, decode } = createRequire(import.meta.url)('iconv-lite') as typeof import('iconv-lite')
  const encodeWhole = (text: string) => {
    const bytes = encode(text, page)
    // iconv-lite writes a question mark for a character that the encoding lacks
    return decode(bytes, page) === text ? bytes : undefined
  }
  return {
    name,
    encode(text) {
      const bytes = encodeWhole(text)
      if (bytes) return bytes
      const lost = [...text].find(character => !encodeWhole(character)) ?? text
      throw new ArgumentError(`${JSON.stringify(lost)} is not in the encoding ${name}`)
    },
    decode: bytes => decode(bytes, page),
  }
}

function singleByte(name: string): Encoding {
  // "stream" has two reasons: without it Node 20 takes windows-1252 for Latin-1, and with it the first byte of several
  // decodes to nothing
  const every = Array.from({ length: 256 }, (_, byte) =>
    new TextDecoder(name).decode(Uint8Array.of(byte), { stream: true }),
  )
  if (every.some((text, byte) => text.length !== 1 || (byte < 128 && text !== String.fromCharCode(byte))))
    throw new ConfigError(
      `the encoding ${name} is none that text of a "char *" can be in: one of a code page of Windows is, or utf-8`,
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
