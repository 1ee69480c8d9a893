/** Batches on their way to a host that is this very thread: it carries out what lies in the shared memory when it is told to. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ControlWord, Reply, Status } from '../../../dist/src/codec/layout.js'
import type { CType } from '../../../dist/src/ctypes/data.js'
import * as ct from '../../../dist/src/ctypes/index.js'
import {
  AbortError,
  AccessViolationError,
  ArgumentError,
  DllNotFoundError,
  SessionTerminatedError,
  ZugbrueckeError,
} from '../../../dist/src/errors.js'
import { BatchExchange } from '../../../dist/src/session/batch/exchange.js'
import { type BatchOptions, BatchPlan, type BatchRoutine } from '../../../dist/src/session/batch/plan.js'
import { endSegment, type Made, makeSegment } from '../../channel/support.js'
import { ACCESS_VIOLATION, declaredWork, type Row, Session } from './this-thread.js'

const test = suite('exchange of a batch')
/** A batch that has been asked for. */
class Running {
  isOver = false
  isSent = false
  error: Error | undefined
  readonly plan: BatchPlan
  readonly exchange: BatchExchange

  constructor(
    session: Session,
    argtypes: readonly unknown[],
    given: readonly unknown[],
    options: BatchOptions & { yields?: () => boolean; sharers?: number; restype?: unknown } = {},
    /** Of another session's batch, of which it takes a share. */
    shared?: BatchPlan,
  ) {
    const { yields, sharers = 1, restype = ct.c_int, ...rest } = options
    const routine = { label: 'work', argtypes, restype: restype as CType | null, keepsLastError: false } as BatchRoutine
    this.plan = shared ?? new BatchPlan(routine, given, rest, session.core)
    const columns = this.plan.columns(session.core)
    const share = { plan: this.plan, declared: declaredWork(), columns, sharers, ...(yields ? { yields } : {}) }
    this.exchange = new BatchExchange(session.core, share, error => {
      assert.not.ok(this.isOver, 'it has ended twice')
      this.isOver = true
      this.error = error
    })
  }

  /** Sends what there is room for, unless all has been sent; whether it has. What throws has failed. */
  attempt(session: Session): boolean {
    try {
      this.isSent ||= session.sendFirst(this.exchange)
    } catch (error) {
      this.isSent = true
      this.exchange.fail(session, error as Error)
    }
    return this.isSent
  }

  fails<E extends Error>(Class: new (...args: never) => E, word: string): E {
    assert.ok(this.isOver)
    assert.instance(this.error, Class)
    assert.match((this.error as Error).message, word)
    return this.error as E
  }
}

const made: Made[] = []
const open = (memory = 1 << 20): Session => {
  const segment = makeSegment(memory)
  made.push(segment)
  return new Session(segment)
}
test.after.each(() => {
  for (const segment of made.splice(0)) endSegment(segment)
})
const count = (length: number) => Int32Array.from({ length }, (_, i) => i)
const double: Row = ([value]) => 2 * value

test('rows come back in their places, a few chunks under way at once', () => {
  const session = open()
  const told: number[] = []
  const batch = new Running(session, [ct.c_int], [count(95)], { chunk: 10, onProgress: done => told.push(done) })
  assert.not.ok(batch.attempt(session))
  assert.equal(session.rows, [10, 10, 10, 10])
  session.carryOut(batch, double)
  assert.is(batch.error, undefined)
  assert.equal(
    batch.plan.outcome(),
    count(95).map(value => 2 * value),
  )
  assert.equal(told, [10, 20, 30, 40, 50, 60, 70, 80, 90, 95])
})

test('the first chunk of a routine goes alone, for it shows what a row takes', () => {
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(5000)])
  assert.not.ok(batch.attempt(session))
  assert.equal(session.rows, [512])
  session.carryOut(batch, double)
  assert.equal(
    batch.plan.outcome(),
    count(5000).map(value => 2 * value),
  )
})

test('rows that failed have their numbers, whichever chunk they were in', () => {
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(30)], { chunk: 8 })
  session.carryOut(batch, ([value]) => (value % 13 === 5 ? { code: ACCESS_VIOLATION } : 1))
  assert.is(batch.error, undefined)
  assert.equal(
    batch.plan.errors.map(({ row }) => row),
    [5, 18],
  )
  assert.instance(batch.plan.errors[1].error, AccessViolationError)
  assert.match(batch.plan.errors[1].error.message, 'work in row 18')
})

test('memory that pointers lead to comes back, and so do out parameters', () => {
  const session = open()
  const given = Int32Array.of(1, 2, 3)
  const batch = new Running(session, [ct.POINTER(ct.c_int), ct.out(ct.c_int)], [given], { restype: null, chunk: 2 })
  session.carryOut(batch, ([element, out], memory) => {
    memory.setInt32(out, 100 + memory.getInt32(element, true), true)
    memory.setInt32(element, -1, true)
    return 0
  })
  assert.equal(given, Int32Array.of(-1, -1, -1))
  assert.equal(batch.plan.outcome(), Int32Array.of(101, 102, 103))
})

test('a message that is larger than a slot lies in the arena', () => {
  const session = open()
  const columns = Array.from({ length: 40 }, (_, i) => Int32Array.of(i, 2 * i))
  const batch = new Running(
    session,
    columns.map(() => ct.c_int),
    columns,
  )
  assert.ok(batch.attempt(session))
  assert.is(session.sent[0].inArena, true)
  session.carryOut(batch, args => args.reduce((sum, value) => sum + value))
  assert.equal(batch.plan.outcome(), Int32Array.of(780, 1560))
})

test('where there is no room it waits, and takes no rows', () => {
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(10)])
  const { size } = session.arena
  const taken = session.arena.allocate(size)
  assert.not.ok(batch.attempt(session))
  assert.is(batch.plan.rows.left, 10)
  session.arena.free(taken, size, false)
  session.carryOut(batch, double)
  assert.is(batch.error, undefined)
  // and gives back what it had
  assert.ok(session.arena.allocate(size) >= 0)
})

test('a row that no room is enough for is an error', () => {
  const session = open()
  class Huge extends ct.Structure({ bytes: ct.c_ubyte.array(2 << 20) }) {}
  const batch = new Running(session, [ct.POINTER(Huge)], [new Uint8Array(2 << 20)])
  assert.ok(batch.attempt(session))
  batch.fails(ZugbrueckeError, 'start it with a larger "memory"')
})

test('memory of the caller’s is nobody else’s until it has ended', () => {
  const session = open()
  const given = count(30)
  const other = new Running(session, [ct.POINTER(ct.c_int)], [given], { restype: null, chunk: 5 })
  const batch = new Running(session, [ct.POINTER(ct.c_int)], [given], { restype: null, chunk: 5 })
  assert.not.ok(other.attempt(session))
  assert.ok(session.lent.has(given.buffer))
  assert.not.ok(batch.attempt(session))
  assert.is(batch.plan.rows.left, 30)
  session.carryOut(other, () => 0)
  assert.not.ok(session.lent.has(given.buffer))
  session.carryOut(batch, () => 0)
  assert.is(session.lent.size, 0)
})

test('a signal stops it once what is under way has come back', () => {
  const session = open()
  const controller = new AbortController()
  const batch = new Running(session, [ct.c_int], [count(100)], { chunk: 10, signal: controller.signal })
  assert.not.ok(batch.attempt(session))
  controller.abort(new RangeError('enough'))
  session.carryOut(batch, double)
  assert.is(batch.fails(AbortError, 'after 40 of 100 rows').cause, controller.signal.reason)
})

test('so does a chunk that was refused, or answered wrongly, and a callback that throws in one', () => {
  for (const [spoil, Class, word] of [
    [
      (reply: (field: number, value: number) => void) => reply(Reply.status, Status.unloaded),
      DllNotFoundError,
      'unloaded',
    ],
    [(reply: (field: number, value: number) => void) => reply(Reply.result, 9), ZugbrueckeError, '9 of 10 rows'],
  ] as const) {
    const session = open()
    const batch = new Running(session, [ct.c_int], [count(100)], { chunk: 10 })
    assert.not.ok(batch.attempt(session))
    session.answer(double, spoil)
    session.carryOut(batch, double)
    batch.fails(Class, word)
    assert.is(session.sent.length, 0)
  }
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(100)], { chunk: 10 })
  assert.not.ok(batch.attempt(session))
  session.sent[1].exchange.thrown = new RangeError('of a callback')
  session.carryOut(batch, double)
  batch.fails(RangeError, 'of a callback')
})

test('a session that dies gives the rows back that it had', () => {
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(100)], { chunk: 10 })
  assert.not.ok(batch.attempt(session))
  session.answer(double)
  const dead = new SessionTerminatedError('gone')
  for (const { exchange } of session.sent.splice(0)) exchange.fail(session, dead)
  batch.exchange.fail(session, dead)
  batch.fails(SessionTerminatedError, 'gone')
  assert.is(batch.plan.rows.left, 90)
  assert.is(batch.plan.rows.done, 10)
})

test('sessions share rows; one for which others wait takes no more', () => {
  const [one, two] = [open(), open()]
  let others = false
  const batch = new Running(one, [ct.c_int], [count(1000)], { chunk: 10, sharers: 2, yields: () => others })
  assert.not.ok(batch.attempt(one))
  assert.equal(one.rows, [10, 10])
  others = true
  assert.ok(batch.attempt(one))
  assert.equal(one.rows, [10, 10, 0])
  one.carryOut(batch, double)
  assert.is(batch.error, undefined)
  assert.is(batch.plan.rows.done, 20)
  const rest = new Running(two, [ct.c_int], [], {}, batch.plan)
  two.carryOut(rest, double)
  assert.equal(
    batch.plan.outcome(),
    count(1000).map(value => 2 * value),
  )
})

test('which row runs, and whether any comes to its end', () => {
  const session = open()
  const batch = new Running(session, [ct.c_int], [count(20)], { chunk: 10 })
  assert.is(batch.exchange.currentRow(), undefined)
  batch.attempt(session)
  Atomics.store(session.mapping.i32, ControlWord.runningRow / 4, 3)
  const first = batch.exchange.progress()
  assert.is(batch.exchange.progress(), first)
  assert.is(batch.exchange.currentRow(), 3)
  session.answer(double)
  assert.is.not(batch.exchange.progress(), first)
  assert.is(batch.exchange.currentRow(), 13)
  batch.exchange.giveUp(new ArgumentError('not so'))
  session.carryOut(batch, double)
  batch.fails(ArgumentError, 'not so')
})

test.run()
