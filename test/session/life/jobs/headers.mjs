/** Types and routines of a header that another thread has read. */
export default function headers(session, { header, dll }) {
  const numbers = session.cdll.LoadLibrary(dll)
  const { add, move } = numbers.declare(header)
  const { types, constants } = session.header(header)
  const box = new types.box({ left: { x: 1 } })
  return { sum: add(2, constants.STEP), right: types.box.fields.right.offset, x: box.left.x, name: move.name }
}
