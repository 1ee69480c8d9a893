/** What is passed by value is what it was when the call was made, however long the call has to wait. */
import * as assert from 'uvu/assert'
import {
  CtypesSession,
  c_byte,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_short,
  c_ulonglong,
  type Library,
  SessionPool,
} from 'zugbruecke'
import { dll, sessionSuite } from '../support.js'
import { CFUNCTYPE, c_void_p, POINTER, pointer, Structure } from '../types.js'

class Small extends Structure({ a: c_int, b: c_int }) {}
class Inner extends Structure({ c: c_short, d: c_double.array(2) }) {}
class Large extends Structure({ s: Small, i: Inner, p: POINTER(c_int) }) {}

const test = sessionSuite('arguments are taken when the call is made')
let taken: Library
test.before(async ({ session }) => {
  taken = await session.cdll.LoadLibrary(dll('taken'))
})

/** More than there are slots. */
const MANY = 3000
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const change = <T>(n: number, call: (i: number) => Promise<T>) => Promise.all(upTo(n).map(i => call(i)))

test('scalars', async () => {
  const same = taken.func('same', [c_int], c_int)
  const value = new c_int(0)
  const results = await change(MANY, i => {
    value.value = i
    return same(value)
  })
  assert.equal(results, upTo(MANY))
  const scalars = taken.func('scalars', [c_byte, c_ulonglong, c_double, c_float], c_double)
  const [a, b, c, d] = [new c_byte(0), new c_ulonglong(0), new c_double(0), new c_float(0)]
  const sums = await change(MANY, i => {
    a.value = i % 100
    b.value = i
    c.value = i + 0.5
    d.value = -i
    return scalars(a, b, c, d)
  })
  assert.equal(
    sums,
    upTo(MANY).map(i => (i % 100) + i + 0.5),
  )
})

test('structures, as objects and written down', async () => {
  const small = taken.func('small', [Small], c_int)
  const s = new Small()
  const literal = { a: 0, b: 0 }
  const results = await change(MANY, i => {
    Object.assign(s, { a: i, b: i % 7 })
    Object.assign(literal, { a: i, b: i % 7 })
    return i % 2 ? small(s) : small(literal)
  })
  assert.equal(
    results,
    upTo(MANY).map(i => i * 1000 + (i % 7)),
  )
  const large = taken.func('large', [Large], c_double)
  const l = new Large()
  const nested = { s: new Small(), i: { c: 0, d: [0, 0] }, p: null }
  const sums = await change(MANY, i => {
    l.s.a = i
    l.i.d[1] = 0.25 * i
    nested.s.a = i
    nested.i.d[1] = 0.25 * i
    return i % 2 ? large(l) : large(nested)
  })
  assert.equal(
    sums,
    upTo(MANY).map(i => 1.25 * i),
  )
})

test('where a pointer leads, but not what is there', async () => {
  const pointed = taken.func('pointed', [POINTER(c_int)], c_int)
  const numbers = upTo(10).map(i => new c_int(i))
  const p = pointer(numbers[0])
  const results = await change(MANY, i => {
    p.contents = numbers[i % 10]
    return pointed(p)
  })
  assert.equal(
    results,
    upTo(MANY).map(i => i % 10),
  )
  const address = taken.func('address', [c_void_p], c_void_p)
  const handle = new c_void_p()
  const wide = new c_longlong()
  const addresses = await change(MANY, i => {
    handle.value = BigInt(i)
    wide.value = BigInt(i)
    return address(i % 2 ? handle : wide)
  })
  assert.equal(
    addresses,
    upTo(MANY).map(i => (i === 0 ? null : BigInt(i))),
  )
  // memory is taken when it is sent: what a call leaves in it is what the next one meets
  const set = taken.func('set', [POINTER(c_int), c_int], null)
  const cell = new c_int(0)
  const seen = upTo(1500).flatMap(i => {
    void set(cell, i)
    return [pointed(cell)]
  })
  assert.equal(await Promise.all(seen), upTo(1500))
})

test('behind a slow call, with errcheck, and what is not declared', async () => {
  const slow = taken.func('slow', [c_int], c_int)
  const same = taken.func('same', [c_int], c_int)
  const value = new c_int(1)
  const given: unknown[] = []
  same.errcheck = (result, _routine, args) => {
    given.push(args[0])
    return result
  }
  const waits = [slow(50), ...upTo(1100).map(() => same(value))]
  value.value = 2
  const results = await Promise.all(waits)
  assert.ok(results.slice(1).every(result => result === 1))
  assert.ok(given.every(object => object === value))
  const open = await change(MANY, i => {
    value.value = i
    return taken.same(value)
  })
  assert.equal(open, upTo(MANY))
})

test('one value for all rows of a batch', async () => {
  const same = taken.func('same', [c_int], c_int)
  const value = new c_int(0)
  const batches = await change(50, i => {
    value.value = i
    return same.batch([value], { rows: 20 })
  })
  batches.forEach((rows, i) => assert.equal([...rows], new Array(20).fill(i)))
})

test('inside a callback, where one call follows the other', async () => {
  const same = taken.func('same', [c_int], c_int)
  const each = taken.func('each', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  const value = new c_int(0)
  const total = await each(async n => {
    const results = await change(30, i => {
      value.value = 100 * n + i
      return same(value)
    })
    assert.equal(
      results,
      upTo(30).map(i => 100 * n + i),
    )
    return results.length
  }, 3)
  assert.is(total, 90)
})

test('a length that memsync is told', async ({ session }) => {
  const sum = (await session.cdll.LoadLibrary(dll('taken'))).func('sum', [c_void_p, c_int], c_int)
  sum.memsync = [{ pointer: [0], length: [1], type: c_int }]
  const n = new c_int(0)
  const numbers = Int32Array.from(upTo(5))
  const results = await change(MANY, i => {
    n.value = i % 6
    const result = sum(numbers, n)
    // more than there are: it would be refused if it were looked at later
    n.value = 1000
    return result
  })
  assert.equal(
    results,
    upTo(MANY).map(i => [0, 0, 1, 3, 6, 10][i % 6]),
  )
})

test('before the session is up', async () => {
  const session = new CtypesSession()
  try {
    const library = session.CDLL(dll('taken'))
    const same = library.func('same', [c_int], c_int)
    const value = new c_int(0)
    const s = new Small(1, 2)
    const calls = change(20, i => {
      value.value = i
      return same(value)
    })
    const detail = same.detail(value)
    const rows = same.batch([value], { rows: 3 })
    const small = library.func('small', [Small], c_int)(s)
    value.value = 77
    s.a = 9
    assert.not(session.up)
    assert.equal(await calls, upTo(20))
    assert.is((await detail).value, 19)
    assert.equal([...(await rows)], [19, 19, 19])
    assert.is(await small, 1002)
  } finally {
    await session.terminate()
  }
})

test('in a pool whose sessions are busy', async () => {
  const pool = await SessionPool.start({ size: 1 })
  try {
    const same = pool.func(dll('taken'), 'same', [c_int], c_int)
    const value = new c_int(0)
    const results = await change(50, i => {
      value.value = i
      return same(value)
    })
    assert.equal(results, upTo(50))
    const batches = change(10, i => {
      value.value = i
      return same.batch([value], { rows: 4 })
    })
    value.value = 99
    ;(await batches).forEach((rows, i) => assert.equal([...rows], [i, i, i, i]))
  } finally {
    await pool.close()
  }
})

test.run()
