// A 64-bit and a 32-bit DLL in one program: one session for each, and data goes from the one to the other. Here the 64-bit libsndfile
// encodes a second of sound as FLAC, the 32-bit one decodes it, and what came of it goes back for the 64-bit one to look at.
// From a clone, after `npx zugbruecke setup --arch win32`: examples/both/get.sh && node examples/both/main.mjs
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CtypesSession } from 'zugbruecke'

const [READ, WRITE] = [0x10, 0x20]
const FLAC_OF_16_BITS = 0x170002
const PEAK = 0x1040 // SFC_CALC_SIGNAL_MAX
const RATE = 44_100

/** The library in a session of the architecture that its file is for, which `open` reads from the file. */
async function load(name) {
  const path = fileURLToPath(new URL(`../build/${name}`, import.meta.url))
  const session = await CtypesSession.open(path)
  // pointers, and what holds them, are as large as the session's DLLs have them
  const { Structure, POINTER, c_char_p, c_double, c_int, c_int16, c_int64, c_void_p } = session.types
  const info = { frames: c_int64, samplerate: c_int, channels: c_int, format: c_int, sections: c_int, seekable: c_int }
  class Info extends Structure(info) {}
  const dll = await session.cdll.LoadLibrary(path)
  return {
    session,
    Info,
    open: dll.func('sf_open', [c_char_p, c_int, POINTER(Info)], c_void_p),
    write: dll.func('sf_write_short', [c_void_p, POINTER(c_int16), c_int64], c_int64),
    read: dll.func('sf_read_short', [c_void_p, POINTER(c_int16), c_int64], c_int64),
    peak: dll.func('sf_command', [c_void_p, c_int, POINTER(c_double), c_int], c_int),
    close: dll.func('sf_close', [c_void_p], c_int),
  }
}

const [wide, narrow] = await Promise.all([load('libsndfile_64bit.dll'), load('libsndfile_32bit.dll')])
console.log('sessions', wide.session.arch, narrow.session.arch)
const folder = await mkdtemp(join(tmpdir(), 'zugbruecke-both-'))
const file = join(folder, 'tone.flac')

async function encode(library, samples) {
  const info = new library.Info({ samplerate: RATE, channels: 1, format: FLAC_OF_16_BITS })
  const sound = await library.open(await library.session.pathUnixToWine(file), WRITE, info)
  const written = await library.write(sound, samples, samples.length)
  await library.close(sound)
  return Number(written)
}

async function decode(library) {
  const info = new library.Info()
  const sound = await library.open(await library.session.pathUnixToWine(file), READ, info)
  const samples = new Int16Array(Number(info.frames))
  await library.read(sound, samples, samples.length)
  const peak = new Float64Array(1)
  await library.peak(sound, PEAK, peak, peak.byteLength)
  await library.close(sound)
  return { samples, peak: peak[0] }
}

const tone = Int16Array.from({ length: RATE }, (_, i) => 12_000 * Math.sin((2 * Math.PI * 440 * i) / RATE))
console.log('64 bits encode', await encode(wide, tone), 'samples')
console.log('smaller than it was', (await stat(file)).size < tone.byteLength)
const { samples, peak } = await decode(narrow)
console.log(
  '32 bits decode',
  samples.length,
  'samples, the same:',
  Buffer.compare(Buffer.from(samples.buffer), Buffer.from(tone.buffer)) === 0,
)
// and the other way round: twice as quiet
await encode(
  narrow,
  samples.map(sample => sample / 2),
)
console.log('peak', peak, 'then', (await decode(wide)).peak)

await Promise.all([wide.session.terminate(), narrow.session.terminate()])
await rm(folder, { recursive: true })
