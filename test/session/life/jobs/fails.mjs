import { c_uint } from 'zugbruecke'

export default async function fails(session, { how, dll }) {
  if (how === 'throw') throw Object.assign(new RangeError('from the job'), { more: 5 })
  if (how === 'argument') session.cdll[dll].func('int add(int a, int b)')('x', 1)
  if (how === 'missing') session.cdll.LoadLibrary('no-such.dll')
  if (how === 'exit') session.cdll[dll].func('exit_with', [c_uint], null)(4)
  if (how === 'hang') for (;;) session.cdll[dll].func('int hang(int ms)')(10)
  if (how === 'long') session.cdll[dll].func('int hang(int ms)')(20_000)
  if (how === 'leave') process.exit(3)
  if (how === 'later')
    setTimeout(() => {
      throw new RangeError('too late')
    }, 20)
  if (how === 'cause') throw new Error('outer', { cause: { plain: [1, 2] } })
  if (how === 'abort') throw Object.assign(new DOMException('theirs', 'AbortError'), { f: () => {} })
  return how
}
