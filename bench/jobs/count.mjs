/**
 * Calls of add_int made from within a session's own thread in the `seconds` after `from` (milliseconds since 1970), which all
 * jobs of a measure have in common. It calls before that, too, so that all are at work and their code is compiled.
 */
export default function job(session, { dll, from, seconds }) {
  const add = session.cdll.LoadLibrary(dll).func('int add_int(int a, int b)')
  const to = from + seconds * 1000
  let calls = 0
  for (;;) {
    for (let i = 0; i < 32; i++) add(i, 4)
    const now = performance.timeOrigin + performance.now()
    if (now >= to) return calls
    if (now >= from) calls += 32
  }
}
