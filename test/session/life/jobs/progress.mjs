/** Works until it is told to stop: where its progress is, it writes to the address that it is given. */
export default (session, { path, mailbox }) => {
  const { Structure, POINTER, byref, addressof, c_int, c_ulonglong } = session.types
  class Progress extends Structure({ done: c_int, abort: c_int }) {}
  const progress = session.memory.place(new Progress())
  session.memory.at(c_ulonglong, mailbox).value = addressof(progress)
  return session.cdll.LoadLibrary(path).func('work', [POINTER(Progress), c_int], c_int)(byref(progress), 1_000_000)
}
