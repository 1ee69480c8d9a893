/** A job that calls until its session is killed, or for two seconds. */
import { c_int } from 'zugbruecke'

export default function callFor(session, { dll, milliseconds }) {
  const add = session.cdll[dll].func('add', [c_int, c_int], c_int)
  const end = Date.now() + milliseconds
  let calls = 0
  while (Date.now() < end) if (add(calls, 1) !== ++calls) throw new Error(`call ${calls} gave something else`)
  return calls
}
