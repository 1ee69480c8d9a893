/** The batch of a routine as a program calls it: awaited, blocking, in a stream, and split among sessions; before the session is up, too. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as ct from '../../../dist/src/ctypes/index.js'
import { ArgumentError, SessionStartError } from '../../../dist/src/errors.js'
import { type BatchSource, makeBatch, type SharedBatch, SPLIT } from '../../../dist/src/session/batch/batch.js'
import type { SessionCore } from '../../../dist/src/session/core/core.js'
import { endSegment, type Made, makeSegment } from '../../channel/support.js'
import { rejects, throws } from '../../expect.js'
import { declaredWork, type Row, Session } from './this-thread.js'

const test = suite('batch of a routine')
const made: Made[] = []
test.after.each(() => {
  for (const segment of made.splice(0)) endSegment(segment)
})

/** A session that comes up when it is told to, and carries out what is submitted at once. */
class Owner {
  readonly id = 'one'
  readonly arch = 'win64'
  readonly #core: SessionCore
  #isUp = false
  #up: (core: SessionCore) => void = () => {}
  readonly #ready = new Promise<SessionCore>(resolve => {
    this.#up = resolve
  })

  constructor(row: Row) {
    const segment = makeSegment()
    made.push(segment)
    const session = new Session(segment)
    const lane = {
      ...session.core.lane,
      blocking: { assertMayBlock: () => {} },
      waitFor: (done: () => boolean) => {
        while (!done()) session.answer(row)
      },
      submit(exchange: Parameters<Session['sendFirst']>[0]) {
        let isSent = session.sendFirst(exchange)
        queueMicrotask(() => {
          while (!isSent || session.sent.length > 0) {
            if (session.sent.length > 0) session.answer(row)
            isSent ||= session.sendFirst(exchange)
          }
        })
      },
    }
    const more = { lane, timeoutCall: Number.POSITIVE_INFINITY, limit: () => undefined, assertAlive: () => {} }
    this.#core = Object.assign(session.core, more) as unknown as SessionCore
  }
  start(): this {
    this.#isUp = true
    this.#up(this.#core)
    return this
  }
  coreNow(): SessionCore | undefined {
    return this.#isUp ? this.#core : undefined
  }
  whenReady(): Promise<SessionCore> {
    return this.#ready
  }
}

const sum: Row = ([a, b]) => a + b
const declared = declaredWork()
function source(session: Owner, changes: Partial<BatchSource> = {}): BatchSource {
  return {
    label: 'work',
    session,
    argtypes: [ct.c_int, ct.c_int],
    restype: ct.c_int,
    keepsLastError: false,
    declared: () => declared,
    ...changes,
  }
}
const splitOf = (batch: object) => (batch as { readonly [SPLIT]: SharedBatch })[SPLIT]
const started = () => new Owner(sum).start()
const columns = [Int32Array.of(1, 2, 3), Int32Array.of(10, 20, 30)]

test('awaited and blocking batches give the results of all rows', async () => {
  const batch = makeBatch(source(started()), false)
  assert.equal(await batch(columns), Int32Array.of(11, 22, 33))
  assert.equal(batch.sync(columns), Int32Array.of(11, 22, 33))
  const { results, errors } = batch.sync(columns, { detail: true })
  assert.equal([results, errors], [Int32Array.of(11, 22, 33), []])
})

test('inside a job the batch itself blocks', () => {
  assert.equal(makeBatch(source(started()), true)(columns), Int32Array.of(11, 22, 33))
})

test('without rows nothing is sent', async () => {
  const nothing = () => assert.unreachable('nothing is declared')
  const batch = makeBatch(source(started(), { declared: nothing as never }), false)
  assert.equal(await batch([new Int32Array(), new Int32Array()]), new Int32Array())
})

test('before the session is up a batch waits, with single values as they were; a blocking one is refused', async () => {
  const owner = new Owner(sum)
  const batch = makeBatch(source(owner), false)
  throws(() => batch.sync(columns), SessionStartError, 'await session.ready first')
  const value = new ct.c_int(100)
  const memory = Int32Array.of(1, 2)
  const waits = batch([memory, value])
  value.value = 200
  memory[0] = 5
  owner.start()
  assert.equal(await waits, Int32Array.of(105, 102))
})

test('routines that no batch can be made of', async () => {
  const of = (changes: Partial<BatchSource>) => makeBatch(source(started(), changes), false)
  await rejects(of({ argtypes: undefined })(columns), ArgumentError, 'a batch needs declared argtypes')
  await rejects(of({ restype: (() => 1) as never })(columns), ArgumentError, 'for restype, not a function')
  await rejects(of({ argtypes: [{} as never, ct.c_int] })(columns), ArgumentError, 'no adapters in argtypes')
  throws(() => of({ argtypes: undefined }).sync(columns), ArgumentError, 'a batch needs declared argtypes')
})

test('a stream gives the results of its sets in order, and what is wrong with a set where it stands', async () => {
  const { stream } = makeBatch(source(started()), false)
  const sets = Array.from({ length: 7 }, (_, i) => [Int32Array.of(i), Int32Array.of(100)])
  const results: unknown[] = []
  for await (const result of stream(sets)) results.push(...(result as Int32Array))
  assert.equal(results, [100, 101, 102, 103, 104, 105, 106])
  const bad = stream([sets[0], [Int32Array.of(1)], sets[2]])
  assert.equal((await bad.next()).value, Int32Array.of(100))
  await rejects(bad.next(), ArgumentError, 'work takes 2 columns, 1 were given')
  await rejects(stream(5 as never).next(), ArgumentError, 'a stream takes sets of columns')
  await rejects(stream(sets, { results: new Int32Array(1) }).next(), ArgumentError, '"results" is for one batch')
})

test('a batch is split: a plan, whose rows the sessions carry out together', async () => {
  const [one, other] = [started(), started()].map(owner => splitOf(makeBatch(source(owner), false)))
  const rows = 1000
  const count = Int32Array.from({ length: rows }, (_, i) => i)
  const plan = one.plan(one.snapshot([count, 1]), { chunk: 10 })
  const never = () => false
  await Promise.all([one.share(plan, 2, never), other.share(plan, 2, never)])
  assert.is(plan.rows.left, 0)
  assert.equal(
    plan.outcome(),
    count.map(value => value + 1),
  )
})

test.run()
