/**
 * Encodings of `char *` by their WHATWG names. For those of one byte per character Node decodes and this encodes, by a
 * table of what each byte decodes to: Node encodes UTF-8 alone. For those of several bytes, and where Node's decoder
 * differs from Windows' code page, iconv-lite does both. It lacks ISO-2022-JP: Node decodes that, and this encodes it
 * by a table of what each two bytes decode to.
 */
import { createRequire } from 'node:module'
import { type Encoding, utf8 } from '../../ctypes/encoding.js'
import { ArgumentError, ConfigError } from '../../errors.js'

const encodings = new Map<string, Encoding>()

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

/** Throws ConfigError for an encoding in which text cannot end with a zero byte. */
export function encodingFor(name: string): Encoding {
  const known = encodings.get(name)
  if (known) return known
  const encoding = make(name)
  encodings.set(name, encoding)
  return encoding
}

function make(name: string): Encoding {
  const { encoding: standard } = new TextDecoder(name)
  if (standard === utf8.name) return utf8
  if (standard.startsWith('utf-16'))
    throw new ConfigError(
      `text of a "char *" ends with a zero byte, so it cannot be in ${name}: the types of UTF-16 text are c_wchar_p and wchar_t *, whatever the encoding is`,
    )
  if (standard === 'iso-2022-jp') return iso2022jp(name)
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
      throw lacking([...text].find(character => !encodeWhole(character)) ?? text, name)
    },
    decode: bytes => decode(bytes, page),
  }
}

const ESCAPE = 0x1b
/** The escape sequences before ASCII, and before the characters of JIS X 0208, which have two bytes from 0x21 to 0x7e. */
const TO_ASCII = [ESCAPE, 0x28, 0x42]
const TO_JIS = [ESCAPE, 0x24, 0x42]

/** The bytes of a text begin and end in ASCII, so a DLL may put texts together. Katakana of half width can be read, but not written. */
function iso2022jp(name: string): Encoding {
  const decoder = new TextDecoder(name, { ignoreBOM: true })
  const decode = (bytes: Uint8Array) => decoder.decode(bytes)
  const cells = Array.from(
    { length: 94 * 94 },
    (_, cell) => [0x21 + Math.floor(cell / 94), 0x21 + (cell % 94)] as const,
  )
  const every = decode(Uint8Array.from([...TO_JIS, ...cells.flat(), ...TO_ASCII]))
  // of two cells with one character the first counts, as in the encoding standard
  const jis = new Map(cells.map((bytes, cell) => [every[cell], bytes] as const).reverse())
  jis.delete('\uFFFD')
  return {
    name,
    encode(text) {
      const bytes: number[] = []
      let isJis = false
      for (const character of text) {
        const inJis = jis.get(character)
        // SO, SI and escape would change the meaning of what follows
        if (!inJis && (character > '\x7f' || '\x0e\x0f\x1b'.includes(character))) throw lacking(character, name)
        if (isJis !== (inJis !== undefined)) bytes.push(...(inJis ? TO_JIS : TO_ASCII))
        isJis = inJis !== undefined
        if (inJis) bytes.push(...inJis)
        else bytes.push(character.charCodeAt(0))
      }
      if (isJis) bytes.push(...TO_ASCII)
      return Uint8Array.from(bytes)
    },
    decode(encoded) {
      // an escape sequence right before another one, where texts were put together, has no effect, but is an error to the standard
      const bytes: number[] = []
      for (let i = 0; i < encoded.length; i++)
        if (encoded[i] === ESCAPE && encoded[i + 3] === ESCAPE) i += 2
        else bytes.push(encoded[i])
      return decode(Uint8Array.from(bytes))
    },
  }
}

const lacking = (text: string, name: string) =>
  new ArgumentError(`${JSON.stringify(text)} is not in the encoding ${name}`)

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
        if (byte === undefined) throw lacking(text[i], name)
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
