/**
 * Moments of a session at which it, or the program that has it, is killed. Plain JavaScript, so that a program that is
 * killed need not wait for a compiler.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CFUNCTYPE, CtypesSession, c_int, c_longlong } from 'zugbruecke'

const Unary = CFUNCTYPE(c_int, c_int)
/** For what is under way when the moment has come to go on, in milliseconds. */
const GOES_ON = 1500

/** What is under way; `settle` is told of each promise, and of the value that it must have. */
const ways = {
  call({ session, dlls, settle }) {
    const faults = session.CDLL(dlls.faults)
    const add = faults.func('add', [c_int, c_int], c_int)
    for (let i = 0; i < 300; i++) settle(add(i, 1), i + 1)
    settle(faults.func('hang', [c_int], c_int)(GOES_ON), GOES_ON)
  },
  batch({ session, dlls, settle }) {
    const add = session.CDLL(dlls.faults).func('add', [c_int, c_int], c_int)
    const rows = Int32Array.from({ length: 500_000 }, (_, i) => i)
    for (let i = 0; i < 4; i++)
      settle(
        add.batch([rows, i]).then(sums => sums.every((sum, row) => sum === row + i)),
        true,
      )
  },
  callback({ session, dlls, settle }) {
    const callbacks = session.CDLL(dlls.callbacks)
    settle(callbacks.func('on_threads', [Unary, c_int, c_int], c_longlong)(value => value, 4, 2000))
    const once = callbacks.func('call_once', [Unary, c_int], c_int)
    settle(
      once(async value => {
        await sleep(GOES_ON)
        return value
      }, 5),
      5,
    )
  },
  job({ session, dlls, settle }) {
    settle(session.run(new URL('kill-job.mjs', import.meta.url), { dll: dlls.faults, milliseconds: GOES_ON }))
  },
  /** A program that the DLL has started outlives nothing, either. */
  async program({ session, settle }) {
    const create = session.windll.kernel32.func(
      'int CreateProcessA(const char *, char *, void *, void *, int, unsigned, void *, const char *, void *, void *)',
    )
    const info = new Uint8Array(session.arch === 'win64' ? 104 : 68)
    info[0] = info.length
    const command = Buffer.from('Z:/bin/sh -c "exec 0</dev/null; sleep 600; : again"\0')
    const made = create(null, command, null, null, 0, 0, null, null, info, new Uint8Array(24))
    settle(made, 1)
    await made
  },
  async idle({ session, dlls, settle }) {
    const sum = session.CDLL(dlls.faults).func('add', [c_int, c_int], c_int)(1, 2)
    settle(sum, 3)
    await sum
  },
  end({ session, settle }) {
    settle(session.terminate())
  },
}
export const MOMENTS = ['start', ...Object.keys(ways)]

/** Starts a session, and brings it to the moment. */
export async function reach(moment, config, dlls, settle) {
  const session = new CtypesSession(config)
  session.on('callbackError', () => {})
  settle(session.ready)
  if (moment === 'start') return session
  try {
    await session.ready
    await ways[moment]({ session, dlls, settle })
  } catch {
    // told to `settle` before
  }
  return session
}
