import { c_uint } from 'zugbruecke'

export default async function fails(session, { how, dll }) {
  if (how === 'throw') throw Object.assign(new RangeError('from the job'), { more: 5 })
  if (how === 'argument') session.cdll[dll].func('int add(int a, int b)')('x', 1)
  if (how === 'missing') session.cdll.LoadLibrary('no-such.dll')
  if (how === 'exit') session.cdll[dll].func('exit_with', [c_uint], null)(4)
  if (how === 'hang') for (;;) session.cdll[dll].func('int hang(int ms)')(10)
  return how
}
