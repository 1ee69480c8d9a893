/** A callback of the worker's own, which a DLL's thread calls between jobs and which stays open while the next one runs. */
import { CFUNCTYPE, c_int, c_longlong, c_ulong } from 'zugbruecke'

const Unary = CFUNCTYPE(c_int, c_int)
const seen = { own: [], job: [] }
let release

export default async function callbackStays(session, { step, callbacks }) {
  const thread = session.windll.kernel32.func('GetCurrentThreadId', [], c_ulong)
  if (step === 'begin') {
    const later = session.cdll[callbacks].func('on_thread_later', [Unary, c_int, c_int, c_int], null)
    const opened = new Promise(resolve => {
      later(
        Unary(async () => {
          seen.own.push(thread())
          resolve()
          await new Promise(go => {
            release = go
          })
          seen.own.push(thread(), ...thread.batch([], { rows: 2 }))
          return 1
        }),
        0,
        1,
        1,
      )
    })
    await opened
  }
  if (step === 'meanwhile') seen.job.push(thread(), ...thread.batch([], { rows: 2 }))
  if (step === 'end') {
    release()
    while (seen.own.length < 4) await new Promise(resolve => setTimeout(resolve, 5))
    // waits for the DLL's thread, which would add to the sum of whoever comes next
    session.cdll[callbacks].func('later_sum', [], c_longlong)()
  }
  return seen
}
