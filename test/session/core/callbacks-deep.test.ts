import * as assert from 'uvu/assert'
import {
  CFUNCTYPE,
  CtypesSession,
  c_int,
  c_uint,
  type Library,
  SessionCrashedError,
  StructuredExceptionError,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('callbacks in calls in callbacks')
const Unary = CFUNCTYPE(c_int, c_int)
let callbacks: Library
test.before(async ({ session }) => {
  callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
})
test.after.each(async () => {
  assert.is(await callbacks.func('plus', [c_int, c_int], c_int)(2, 3), 5)
})

/** Goes down to `depth`, and gives what each level answered to the one above it. */
function down(depth: number): { go: () => Promise<number>; deepest: () => number; wrong: number[] } {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const wrong: number[] = []
  let deepest = 0
  const level = Unary((async (at: number): Promise<number> => {
    deepest = Math.max(deepest, at)
    if (at === depth) return depth
    const below = await once(level, at + 1)
    // each call has an answer of its own
    if (below !== depth + (depth - at - 1)) wrong.push(at)
    return below + 1
  }) as never)
  return { go: () => once(level, 1), deepest: () => deepest, wrong }
}

const deep = 3000
test(`awaited, to depth ${deep}`, async () => {
  const { go, wrong } = down(deep)
  assert.is(await go(), 2 * deep - 1)
  assert.equal(wrong, [])
})

test('too deep is a stack overflow of the innermost call, and every other call has its own answer', async () => {
  for (let times = 0; times < 2; times++) {
    const { go, deepest, wrong } = down(20_000)
    const error = (await rejects(go(), StructuredExceptionError, 'call_once')) as StructuredExceptionError
    assert.is(error.exceptionCode, 0xc00000fd)
    assert.ok(deepest() >= deep, `only ${deepest()}`)
    assert.equal(wrong, [])
  }
})

test('blocking, until the stack of JS ends: an error of the innermost call', () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  let deepest = 0
  const level = Unary((at: number): number => {
    deepest = Math.max(deepest, at)
    return once.sync(level, at + 1)
  })
  throws(() => once.sync(level, 1), ZugbrueckeError, '--stack-size')
  assert.ok(deepest >= 200, `only ${deepest}`)
})

test('the last error of a routine survives the callback', async () => {
  const around = callbacks.func('error_around', [Unary, c_uint], c_uint)
  assert.is(await around(() => 0, 1234), 1234)
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  assert.is(await around(() => once.sync(value => value, 3), 4321), 4321)
})

for (const [name, words] of [
  ['jump', 'longjmp'],
  ['end_thread', 'ExitThread'],
])
  test(`what never comes back from a callback ends the session, and says why: ${name}`, async () => {
    const session = await CtypesSession.start({ stderr: false })
    try {
      const library = await session.cdll.LoadLibrary(dll('callbacks'))
      const leave = library.func(name, [], null)
      let inner: unknown
      const outer = library.func(
        'jump_over',
        [Unary],
        c_int,
      )(async () => {
        await leave().catch(error => {
          inner = error
        })
        return 0
      })
      const behind = library.func('plus', [c_int, c_int], c_int)(1, 2)
      await Promise.all([rejects(outer, ZugbrueckeError), rejects(behind, ZugbrueckeError)])
      assert.instance(inner, SessionCrashedError)
      assert.match((inner as Error).message, words)
    } finally {
      await session.terminate()
    }
  })

test.run()
