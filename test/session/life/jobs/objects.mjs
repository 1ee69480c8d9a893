/** What a library with state does with objects, by blocking calls or by awaited ones: in a job, on a thread that has joined, on any. */
const MANY = 5_000

export async function live(session, path, isAwaited) {
  const { Structure, POINTER, CFUNCTYPE, byref, pointer, cast, addressof, resize, sizeof, ...types } = session.types
  const { c_char_p, c_double, c_int, c_ubyte, c_uint, c_ushort, c_void_p, c_wchar_p } = types
  class Job extends Structure({ n: c_int, stop: c_int }) {}
  class Stream extends Structure({
    next_in: POINTER(c_ubyte),
    avail_in: c_uint,
    next_out: POINTER(c_ubyte),
    avail_out: c_uint,
    name: c_char_p,
    state: c_void_p,
  }) {}
  class Texts extends Structure({ narrow: c_char_p, wide: c_wchar_p, numbers: POINTER(c_int) }) {}
  class Blob extends Structure({ count: c_uint, values: c_uint.array(1) }) {}
  const lib = await session.cdll.LoadLibrary(path)
  const routine = (...declaration) => {
    const made = lib.func(...declaration)
    return isAwaited ? made : made.sync
  }
  const result = {}

  // a callback writes into what the routine works on, and a call inside it, too
  const counted = new Job()
  await routine('each', [c_int, CFUNCTYPE(null, c_int, c_void_p), c_void_p], null)(
    5,
    () => void counted.n++,
    byref(counted),
  )
  const halt = lib.func('halt', [POINTER(Job)], null)
  const loop = routine('loop', [POINTER(Job), CFUNCTYPE(null, c_int)], c_int)
  const [looped, nested] = [new Job(), new Job()]
  result.looped = await loop(byref(looped), i => void (i === 10 && looped.n === 10 && (looped.stop = 1)))
  result.nested = await loop(byref(nested), i => void (i === 10 && halt.sync(byref(nested))))
  result.counted = [counted.n, looped.n, nested.stop]

  // addresses that the library remembers, while others come and go
  const add = routine('add_one', [POINTER(c_int)], null)
  const stream = new Stream()
  const kept = new c_int(7)
  await routine('stream_open', [POINTER(Stream)], c_int)(byref(stream))
  await routine('keep_int', [POINTER(c_int)], POINTER(c_int))(byref(kept))
  result.many = 0
  for (let i = 0; i < MANY; i++) {
    const number = new c_int(i)
    await add(byref(number))
    result.many += number.value - i
  }
  await routine('write_kept', [c_int], null)(8)
  const output = new Uint8Array(4)
  Object.assign(stream, { next_in: Buffer.from('Hi'), avail_in: 2, next_out: output, avail_out: 4 })
  result.stepped = [await routine('stream_step', [POINTER(Stream)], c_int)(byref(stream)), ...output]
  await routine('stream_close', [POINTER(Stream)], c_int)(byref(stream))
  result.kept = kept.value

  // filled by a thread of the library's after the call
  const start = routine('camera_start', [POINTER(c_ushort), c_int, c_int], null)
  const late = [new (c_ushort.array(5000))(), session.memory.array(Uint16Array, 5000)]
  for (const frame of late) {
    await start(frame, 5000, 20)
    await routine('camera_wait', [], null)()
  }
  result.late = late.map(frame => frame[4999])

  // addresses are what the library sees
  const address = routine('address_of', [c_void_p], c_void_p)
  const placed = session.memory.place(new Job({ n: 4, stop: 5 }))
  result.addresses = [
    (await address(byref(placed))) === addressof(placed),
    (await address(byref(placed, 4))) === addressof(placed) + 4n,
    pointer(placed).address === addressof(placed),
    session.memory.at(Job, addressof(placed)).n,
    cast(byref(placed, 4), POINTER(c_int)).contents.value,
  ]

  // what is stored in a field stays until the field changes
  const lengths = routine('lengths', [POINTER(Texts)], c_int)
  const texts = new Texts({ narrow: 'abc' })
  result.lengths = [await lengths(byref(texts))]
  texts.wide = 'wörld'
  result.lengths.push(await lengths(byref(texts)))
  texts.narrow = null
  result.lengths.push(await lengths(byref(texts)))

  // as long as the buffer, or as it was made
  const sum = routine('sum_blob', [POINTER(Blob)], c_uint)
  const blob = session.memory.place(new Blob({ count: 1, values: [5] }))
  resize(blob, 12)
  blob.count = 2
  cast(byref(blob, 4), POINTER(c_uint)).set(1, 6)
  result.sums = [await sum(byref(Blob.from_buffer(Uint32Array.of(3, 1, 2, 3)))), await sum(byref(blob)), sizeof(blob)]

  // back into memory of JS
  await session.memory.free(placed)
  result.freed = placed.stop

  const inPlace = session.memory.array(Float64Array, 3)
  inPlace.set([1, 2, 3])
  await routine('scale', [POINTER(c_double), c_int, c_double], c_double)(inPlace, 3, 2)
  result.inPlace = [...inPlace, ...(await lib.func('twice', [c_double], c_double).batch([inPlace]))]
  return result
}

/** What `live` gives. */
export const RIGHT = {
  looped: 11,
  nested: 11,
  counted: [5, 11, 1],
  many: MANY,
  stepped: [0, ...Buffer.from('hI'), 0, 0],
  kept: 8,
  late: [4999, 4999],
  addresses: [true, true, true, 4, 5],
  lengths: [3, 503, 500],
  sums: [6, 11, 12],
  freed: 5,
  inPlace: [2, 4, 6, 4, 8, 12],
}

export default (session, path) => live(session, path, false)
