/** Many small calls whose logic is here: every call synchronous. */
export default function sums(session, { dll, count }) {
  const numbers = session.cdll.LoadLibrary(dll)
  const add = numbers.func('int add(int a, int b)')
  let sum = 0
  for (let i = 0; i < count; i++) sum = add(sum, i)
  return { sum, id: session.id }
}
