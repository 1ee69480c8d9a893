/** What a program keeps of a session that has ended keeps no more of the session than it needs. */
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  AbortError,
  CtypesSession,
  c_double,
  c_int,
  type Library,
  type Pointer,
  SessionTerminatedError,
} from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, rejects, sleep, throws } from '../support.js'
import { arch, CFUNCTYPE, c_char_p, POINTER, Structure } from '../types.js'

const test = suite('what is kept of ended sessions')
const path = makeDll(
  join(dirname(dll('numbers')), `kept-${arch}.dll`),
  `#define API __declspec(dllexport)
struct three { double a, b, c; };
struct named { const char *name; int (*f)(int); };
static int cell;
static int twice(int x) { return 2 * x; }
API struct three three(void) { struct three t = {1, 2, 3}; return t; }
API void fill(struct named *n) { n->name = "name"; n->f = twice; }
API int *place(void) { return &cell; }
API int call(int (*f)(int), int x) { return f(x); }
`,
)
class Three extends Structure({ a: c_double, b: c_double, c: c_double }) {}
const F = CFUNCTYPE(c_int, c_int)
class Named extends Structure({ name: c_char_p, f: F }) {}

/** A size that nothing else in this process has. */
const MEMORY = 77 << 20
/** Mappings of the memory of sessions of this suite. */
const mappings = (): number =>
  readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .filter(line => {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      const size = from ? Number.parseInt(to, 16) - Number.parseInt(from, 16) : 0
      return size >= MEMORY && size < MEMORY + (8 << 20)
    }).length

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Collects garbage until something is gone, but no more than so many times. */
async function collectUntil(isGone: () => boolean, times: number): Promise<void> {
  for (let i = 0; i < times && !isGone(); i++) {
    collect()
    await sleep(20)
  }
}
/** How many sessions' memory is left once garbage is collected. */
async function left(): Promise<number> {
  await collectUntil(() => mappings() === 0, 20)
  return mappings()
}

const fromSessions = async <T>(take: (lib: Library, session: CtypesSession) => Promise<T> | T): Promise<T[]> => {
  const kept: T[] = []
  for (let i = 0; i < 2; i++) {
    const session = await CtypesSession.start({ memory: MEMORY })
    kept.push(await take(await session.cdll.LoadLibrary(path), session))
    await session.terminate()
  }
  return kept
}

const forever = F(x => x + 1)

test('not by a callback that goes from session to session', async () => {
  await fromSessions(lib => lib.func('call', [F, c_int], c_int)(forever, 1))
  assert.is(await left(), 0)
  const [first] = await fromSessions(lib => lib.func('call', [F, c_int], c_int)(forever, 2))
  assert.is(first, 3)
})

test('nor, while it lives, by a function that was given to a call which was withdrawn before it was sent', async () => {
  const session = await CtypesSession.start()
  try {
    const call = (await session.cdll.LoadLibrary(path)).func('call', [F, c_int], c_int)
    let gone = false
    const registry = new FinalizationRegistry(() => {
      gone = true
    })
    const withdrawn = () => {
      const controller = new AbortController()
      const fn = (x: number) => x + 1
      registry.register(fn, undefined)
      const result = call.with({ signal: controller.signal })(fn, 1)
      controller.abort()
      return rejects(result, AbortError, 'its turn had not come')
    }
    let begin = () => {}
    let end = () => {}
    const begun = new Promise<void>(resolve => {
      begin = resolve
    })
    const over = new Promise<void>(resolve => {
      end = resolve
    })
    // while this call runs the Windows side makes no thunk for the function
    const before = call(async x => {
      begin()
      await over
      return x
    }, 5)
    await begun
    await withdrawn()
    end()
    assert.is(await before, 5)
    assert.is(await call(x => x, 6), 6)
    await collectUntil(() => gone, 50)
    assert.ok(gone)
  } finally {
    await session.terminate()
  }
})

test('not by results, structures of its own, pointers and functions', async () => {
  const three = await fromSessions(lib => lib.func('three', [], Three)())
  const named = await fromSessions(async lib => {
    const own = Named.from_buffer(new Uint8Array(Named.size))
    await lib.func('fill', [POINTER(Named)], null)(own)
    assert.is(await (own.f as unknown as (x: number) => Promise<number>)(4), 8)
    return own
  })
  const places = await fromSessions(lib => lib.func('place', [], POINTER(c_int))())
  assert.is(await left(), 0)
  assert.is(three[0].c, 3)
  throws(() => named[0].name, SessionTerminatedError)
  const f = named[0].f as unknown as ((x: number) => Promise<number>) & { sync(x: number): number }
  await rejects(f(1), SessionTerminatedError)
  throws(() => f.sync(1), SessionTerminatedError)
  throws(() => places[0]?.contents.value, SessionTerminatedError)
})

test('an object that lives on can be made to point to others, and no file of the program is touched', async () => {
  class Holder extends Structure({ count: c_int, to: POINTER(c_int) }) {}
  const session = await CtypesSession.start({ memory: MEMORY })
  const holder = session.memory.place(new Holder({ count: 1 }))
  await session.terminate()
  await sleep(100)
  const folder = mkdtempSync(join(tmpdir(), 'zugbruecke-kept-'))
  // one of them has the number that the session's memory had
  const files = Array.from({ length: 40 }, (_, i) => openSync(join(folder, String(i)), 'w'))
  try {
    const many = new (c_int.array(2_000_000))()
    many[1_999_999] = 5
    holder.to = many as never
    assert.is((holder.to as Pointer<typeof c_int> | null)?.at(1_999_999), 5)
    assert.equal(
      files.map(file => fstatSync(file).size),
      files.map(() => 0),
    )
  } finally {
    for (const file of files) closeSync(file)
    rmSync(folder, { recursive: true })
  }
})

test.run()
