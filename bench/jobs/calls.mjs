/** Runs inside a session's own thread: every call here is synchronous. Input: { dll, name, seconds }. */

import { prepare } from '../ours/calls.mjs'
import { sliceSync } from '../ours/slice.mjs'

export default function job(session, { dll, name, seconds }) {
  const { call, inner, release } = prepare(session, session.cdll.LoadLibrary(dll), name)
  try {
    return sliceSync(call, seconds, inner)
  } finally {
    release?.()
  }
}
