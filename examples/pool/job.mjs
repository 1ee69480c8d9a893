// Which number of a range takes the most steps: one call of the DLL for each, and JS decides.
/** @type {import('zugbruecke').Job<{ dll: string, from: number, to: number }, { n: number, steps: number }>} */
export default function longest(session, { dll, from, to }) {
  const { c_int, c_uint } = session.types
  const collatz = session.CDLL(dll).func('collatz', [c_uint], c_int)
  let best = { n: from, steps: -1 }
  for (let n = from; n < to; n++) {
    const steps = collatz(n)
    if (steps > best.steps) best = { n, steps }
  }
  return best
}
