/** What a job can do beside plain calls. */
import { CFUNCTYPE, c_char_p, c_int, c_longlong, c_ubyte, POINTER } from 'zugbruecke'

export default function everything(session, { numbers, texts, callbacks, relative }) {
  const add = session.cdll[numbers].func('add', [c_int, c_int], c_int)
  const echo = session.cdll[texts].func('echo', [c_char_p], c_char_p)
  const fill = session.cdll[texts].func('fill', [POINTER(c_ubyte), c_int, c_int], null)
  const Unary = CFUNCTYPE(c_int, c_int)
  const apply = session.cdll[callbacks].func('apply', [Unary, c_int], c_longlong)
  const buffer = new Uint8Array(300_000)
  fill(buffer, buffer.length, 7)
  const memory = session.memory.alloc(8)
  memory.write(Uint8Array.of(1, 2))
  const bytes = [...memory.read(0, 3)]
  const typed = session.memory.alloc(c_int)
  typed.contents.value = 6
  const six = typed.contents.value
  session.memory.free(typed)
  let freed = memory.free()
  try {
    memory.read()
  } catch (error) {
    freed = error.name
  }
  let missing
  try {
    session.cdll[numbers].no_such()
  } catch (error) {
    missing = error.name
  }
  return {
    batch: [...add.batch([Int32Array.of(1, 2, 3), 10])],
    text: echo('grün'),
    filled: buffer.every(byte => byte === 7),
    applied: apply(value => add(value, 1), 10),
    memory: bytes,
    six,
    freed,
    detail: add.detail(1, 2).value,
    made: new session.CDLL(relative).add(1, 2),
    missing,
    words: session.FormatError(5).length > 0,
    value: add.sync(1, 2),
    arch: session.arch,
    path: session.pathUnixToWine('/tmp'),
    kernel: session.util.find_library('kernel32').toLowerCase(),
    relative: session.CDLL(relative).add(1, 2),
  }
}
