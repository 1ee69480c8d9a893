/** A callback that throws on a thread of the DLL's own, where no call fails with that. */
import { CFUNCTYPE, c_int, c_longlong } from 'zugbruecke'

const Unary = CFUNCTYPE(c_int, c_int)

export default async function warns(session, { callbacks }) {
  const warning = new Promise(resolve => process.once('warning', ({ message }) => resolve(message)))
  const on = session.cdll[callbacks].func('on_thread', [Unary, c_int], c_longlong)
  const sum = on(() => {
    throw new Error('nobody waits for this')
  }, 1)
  return { sum, warning: await warning }
}
