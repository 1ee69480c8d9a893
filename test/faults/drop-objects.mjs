/**
 * Makes objects in a loop that never pauses, passes each to a routine, and drops it: what a job does, and a thread that calls by
 * `.sync`. Plain JavaScript, for a job runs no TypeScript.
 */
import { readFileSync } from 'node:fs'
import { addressof, byref, c_int, c_void_p, POINTER } from 'zugbruecke'

/** One of so many is looked at closely, and kept. */
export const KEPT = 1000
const MEBIBYTE = 2 ** 20

/** The most that this process and the Windows process had, in MiB: memory at work, and of it V8's heap of this thread. */
export class Peak {
  constructor(pid) {
    this.pid = pid
    this.most = { node: 0, heap: 0, windows: 0 }
  }
  look() {
    const { rss, heapUsed } = process.memoryUsage()
    const windows = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]
    const now = { node: rss / MEBIBYTE, heap: heapUsed / MEBIBYTE, windows: Number(windows) / 1024 }
    for (const name of Object.keys(now)) this.most[name] = Math.max(this.most[name], now[name])
    return now
  }
}

/** Objects that are kept while others come and go, each with what it must have. */
export class Kept {
  #all = []
  add(object, value) {
    this.#all.push([object, value])
  }
  /** How many have another value, or lie where another lies. */
  wrong() {
    const places = new Set(this.#all.map(([object]) => addressof(object)))
    return this.#all.filter(([object, value]) => object.value !== value).length + this.#all.length - places.size
  }
}

/** How many objects were made, how many were wrong in value or address, and the error that ended the loop, if any. */
export function dropObjects(lib, pid, from, count) {
  const add = lib.func('add_one', [POINTER(c_int)], null)
  const address = lib.func('address_of', [c_void_p], c_void_p)
  const keep = lib.func('keep_int', [POINTER(c_int)], null)
  const write = lib.func('write_kept', [c_int], null)
  const [kept, peak] = [new Kept(), new Peak(pid)]
  let [made, wrong, error] = [0, 0, undefined]
  try {
    for (; made < count; made++) {
      const value = from + made
      const number = new c_int(value)
      add.sync(byref(number))
      if (number.value !== value + 1) wrong++
      if (made % KEPT > 0) continue
      // the DLL writes where it was told that the object is
      keep.sync(byref(number))
      write.sync(-value)
      add.sync(byref(number))
      if (address.sync(byref(number)) !== addressof(number)) wrong++
      kept.add(number, 1 - value)
      if (made % (100 * KEPT) === 0) peak.look()
    }
  } catch (thrown) {
    error = thrown
  }
  peak.look()
  return { made, wrong: wrong + kept.wrong(), error: error?.message, most: peak.most }
}

export default (session, { dll, pid, from, count }) => dropObjects(session.cdll.LoadLibrary(dll), pid, from, count)
