/** Calls before it is timed. */
const WARM_UP = 2000

/** As many calls of add_int as fit into `seconds`, from within a session's own thread, once its code is compiled. */
export default function job(session, { dll, seconds }) {
  const add = session.cdll.LoadLibrary(dll).func('int add_int(int a, int b)')
  for (let i = 0; i < WARM_UP; i++) add(i, 4)
  let calls = 0
  const start = performance.now()
  let end = start
  do {
    for (let i = 0; i < 32; i++) add(i, 4)
    calls += 32
    end = performance.now()
  } while (end - start < seconds * 1000)
  return { calls, ms: end - start }
}
