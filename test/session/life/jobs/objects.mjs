import { byref, CFUNCTYPE, c_double, c_int, c_void_p, POINTER, Structure } from 'zugbruecke'

class Job extends Structure({ n: c_int, stop: c_int }) {}

export default (session, path) => {
  const lib = session.cdll.LoadLibrary(path)
  const counted = new Job()
  lib.func('each', [c_int, CFUNCTYPE(null, c_int, c_void_p), c_void_p], null)(5, () => void counted.n++, byref(counted))
  const looped = new Job()
  const halt = lib.func('halt', [POINTER(Job)], null)
  const loop = lib.func('loop', [POINTER(Job), CFUNCTYPE(null, c_int)], c_int)
  const result = loop(byref(looped), i => void (i === 10 && halt(byref(looped))))
  const kept = new c_int(7)
  lib.func('keep_int', [POINTER(c_int)], POINTER(c_int))(byref(kept))
  const add = lib.func('add_one', [POINTER(c_int)], null)
  let many = 0
  for (let i = 0; i < 20000; i++) {
    const number = new c_int(i)
    add(byref(number))
    many += number.value - i
  }
  lib.func('write_kept', [c_int], null)(8)
  const inPlace = session.memory.array(Float64Array, 3)
  inPlace.set([1, 2, 3])
  lib.func('scale', [POINTER(c_double), c_int, c_double], c_double)(inPlace, 3, 2)
  return { counted: counted.n, looped: result, stopped: looped.stop, kept: kept.value, many, inPlace: [...inPlace] }
}
