/** Texts are those that were there when the routine returned, whatever is called behind it. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  AccessViolationError,
  BatchError,
  byref,
  CFUNCTYPE,
  c_char_p,
  c_int,
  c_longlong,
  c_wchar_p,
  type Library,
  MemoryAccessError,
  out,
  POINTER,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('texts that routines leave')
let left: Library
let Only: ReturnType<typeof structures>['Only']
let Several: ReturnType<typeof structures>['Several']
let Either: ReturnType<typeof structures>['Either']

function structures({ Structure, Union }: WithTypes) {
  class Only extends Structure({ text: c_char_p }) {}
  class Inner extends Structure({ wide: c_wchar_p, value: c_int }) {}
  class Several extends Structure({ value: c_int, text: c_char_p, inner: Inner.array(2) }) {}
  class As extends Union({ value: c_longlong, text: c_char_p }) {}
  class Either extends Structure({ kind: c_int, as: As }) {}
  return { Only, Several, Either }
}
type WithTypes = Pick<typeof import('zugbruecke'), 'Structure' | 'Union'>

test.before(async ({ session }) => {
  left = await session.cdll.LoadLibrary(dll('left-texts'))
  ;({ Only, Several, Either } = structures(session.types as unknown as WithTypes))
})

const narrow = (v: number) => `n${v}`
const wide = (v: number) => v.toString(8).padStart(8, '0')
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
const manyOf = <T>(n: number, call: (v: number) => Promise<T>) => Promise.all(upTo(n).map(v => call(v)))

test('results, with many calls under way', async () => {
  const number = left.func('number', [c_int], c_char_p)
  const wideNumber = left.func('wide_number', [c_int], c_wchar_p)
  const fresh = left.func('fresh', [c_int], c_char_p)
  assert.equal(await manyOf(2500, number), upTo(2500).map(narrow))
  assert.equal(await manyOf(2500, wideNumber), upTo(2500).map(wide))
  assert.equal(await manyOf(500, fresh), upTo(500).map(narrow))
  for (const v of upTo(50)) {
    assert.is(number.sync(v), narrow(v))
    assert.is(await fresh(v), narrow(v))
  }
})

test('`out` parameters', async () => {
  const both = left.func('out_number', [c_int, out(c_char_p), out(c_wchar_p)], c_int)
  assert.equal(
    await manyOf(500, both),
    upTo(500).map(v => [-v, narrow(v), wide(v)]),
  )
})

test('structures by value, in registers and in memory, and those of `out` parameters', async () => {
  const only = await manyOf(500, left.func('only', [c_int], Only))
  only.forEach(({ text }, v) => assert.is(text, narrow(v)))
  const check = (s: InstanceType<typeof Several>, v: number) => {
    assert.is(s.text, narrow(v))
    const [first, second] = s.inner
    assert.equal([first.wide, first.value], [wide(v), v + 1])
    assert.equal([second.wide, second.value], [v % 2 ? null : 'even', v + 2])
  }
  ;(await manyOf(500, left.func('several', [c_int], Several))).forEach(check)
  ;(await manyOf(500, left.func('fill_several', [c_int, out(Several)], null))).forEach(check)
})

test('a union has a text where it has one', async () => {
  const made = await manyOf(100, left.func('either', [c_int], Either))
  made.forEach((e, v) => {
    if (e.kind === 1) assert.is(e.as.text, narrow(v))
    else assert.is(e.as.value, BigInt(v))
  })
})

test('the pointer beside the text is the routine’s own, and a text that was changed is read again', async () => {
  const make = left.func('make', [c_int], Several)
  const shout = left.func('shout', [POINTER(Several)], null)
  const release = left.func('release', [Several], c_int)
  const made = await manyOf(20, make)
  made.forEach((s, v) => assert.is(s.text, `made ${v}`))
  const copy = new Several(made[3])
  assert.is(copy.text, 'made 3')
  await shout(byref(made[4]))
  assert.is(made[4].text, 'MADE 4')
  for (const s of made) assert.is(await release(s), 1)
  assert.is(await left.owned_now(), 0)
  made[5].text = 'another'
  assert.is(made[5].text, 'another')
  made[5].text = null
  assert.is(made[5].text, null)
})

test('batches', async () => {
  const rows = Int32Array.from(upTo(3000))
  assert.equal(await left.func('number', [c_int], c_char_p).batch([rows]), upTo(3000).map(narrow))
  assert.equal(await left.func('wide_number', [c_int], c_wchar_p).batch([rows], { chunk: 100 }), upTo(3000).map(wide))
  const outs = await left.func('out_number', [c_int, out(c_char_p), out(c_wchar_p)], c_int).batch([rows])
  assert.equal(outs[1], upTo(3000).map(narrow))
  assert.equal(outs[2], upTo(3000).map(wide))
  const only = await left.func('only', [c_int], Only).batch([rows])
  only.forEach(({ text }, v) => assert.is(text, narrow(v)))
  const several = await left.func('several', [c_int], Several).batch([rows])
  several.forEach((s, v) => assert.equal([s.text, s.inner[0].wide], [narrow(v), wide(v)]))
  const filled = await left.func('fill_several', [c_int, out(Several)], null).batch([rows])
  filled.forEach((s, v) => assert.equal([s.text, s.inner[1].wide], [narrow(v), v % 2 ? null : 'even']))
})

test('of any length, alone and together', async () => {
  const ofLength = left.func('of_length', [c_int], c_char_p)
  const wideOfLength = left.func('wide_of_length', [c_int], c_wchar_p)
  const said = (n: number) => String.fromCharCode(97 + (n % 26)).repeat(n)
  const widely = (n: number) => String.fromCharCode(0x4100 + (n % 26)).repeat(n)
  for (const n of [0, 1, 2, 100, 127, 128, 129, 160, 255, 256, 257, 4095, 4096, 65_535, 65_536, 100_000, 1_000_000]) {
    assert.is(await ofLength(n), said(n), `${n} bytes`)
    assert.is(await wideOfLength(n), widely(n), `${n} units`)
  }
  const lengths = fc.array(fc.oneof(fc.nat(300), fc.nat(5000), fc.nat(100_000)), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(lengths, async given => {
      // new routines each time, which do not know how long their texts will be
      const one = left.func('of_length', [c_int], c_char_p)
      const other = left.func('wide_of_length', [c_int], c_wchar_p)
      const calls = given.map(n => (n % 2 ? one(n) : other(n)))
      assert.equal(
        await Promise.all(calls),
        given.map(n => (n % 2 ? said(n) : widely(n))),
      )
      assert.equal(await one.batch([Int32Array.from(given)]), given.map(said))
      assert.equal(await other.batch([Int32Array.from(given)]), given.map(widely))
    }),
    { numRuns: 15 },
  )
})

test('long texts leave no memory behind in the Windows process', async ({ session }) => {
  const ofLength = left.func('of_length', [c_int], c_char_p)
  const size = () => Number(/^VmSize:\s+(\d+)/m.exec(readFileSync(`/proc/${session.pid}/status`, 'utf8'))?.[1])
  await manyOf(20, () => ofLength(1 << 20))
  const before = size()
  for (let i = 0; i < 30; i++) await manyOf(10, () => ofLength(1 << 20))
  for (let i = 0; i < 100; i++) ofLength.sync(1 << 20)
  assert.ok(size() - before < 100 * 1024, `${size() - before} KiB more after 400 texts of a MiB`)
})

test('a pointer that is none is an error of its call, and of its row', async () => {
  const wild = left.func('wild', [c_int], c_char_p)
  const calls = await Promise.allSettled(upTo(30).map(v => wild(v)))
  calls.forEach((call, v) => {
    if (v % 3 === 2) assert.instance((call as PromiseRejectedResult).reason, AccessViolationError)
    else assert.is((call as PromiseFulfilledResult<unknown>).value, v % 3 ? null : narrow(v))
  })
  const error = await rejects(wild(2), AccessViolationError, 'wild', '0x123')
  assert.is(error.address, 0x123n)
  await rejects(left.func('out_wild', [c_int, out(c_char_p)], c_int)(2), AccessViolationError, 'out_wild')
  await rejects(left.func('endless', [], c_char_p)(), AccessViolationError, 'endless')
  throws(() => wild.sync(5), AccessViolationError, 'wild')
  const rows = Int32Array.from(upTo(90))
  const { results, errors } = await wild.batch([rows], { detail: true })
  assert.equal(
    errors.map(({ row }) => row),
    upTo(90).filter(v => v % 3 === 2),
  )
  assert.equal(
    results,
    upTo(90).map(v => (v % 3 ? null : narrow(v))),
  )
  for (const { error } of errors) assert.instance(error, AccessViolationError)
  await rejects(left.func('out_wild', [c_int, out(c_char_p)], c_int).batch([rows]), BatchError, 'row 2')
})

test('in a structure it fails when it is read', async () => {
  const s = await left.func('several_wild', [c_int], Several)(7)
  assert.equal([s.value, s.inner[0].wide], [7, 'good'])
  throws(() => s.text, MemoryAccessError)
  throws(() => s.inner[1].wide, MemoryAccessError)
  throws(() => left.func('only_wild', [], Only).sync().text, MemoryAccessError)
  const rows = await left.func('several_wild', [c_int], Several).batch([Int32Array.from(upTo(50))])
  rows.forEach((row, v) => assert.equal([row.value, row.inner[0].wide], [v, 'good']))
  throws(() => rows[9].text, MemoryAccessError)
})

test('inside callbacks, to any depth', async () => {
  const number = left.func('number', [c_int], c_char_p)
  const ofLength = left.func('of_length', [c_int], c_char_p)
  const seen: unknown[] = []
  const twice = left.func('twice', [CFUNCTYPE(c_int, c_int), c_int], c_int)
  const deep = (v: number): number => {
    if (v > 5) return v
    seen.push(number.sync(v), ofLength.sync(3000 + v)?.length, number.batch.sync([[v, v + 1]]))
    return twice.sync(deep, v + 1)
  }
  await twice(deep, 4)
  assert.equal(seen.slice(0, 3), ['n4', 3004, ['n4', 'n5']])
  assert.is(seen.length, 9)
  assert.equal(await manyOf(20, number), upTo(20).map(narrow))
})

test.run()
