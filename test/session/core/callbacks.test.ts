import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_byte,
  type c_char,
  c_double,
  c_float,
  c_int,
  c_longlong,
  c_ushort,
  type Library,
  type Pointer,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, full, rejects, sessionSuite, throws } from '../support.js'
import { arch, CFUNCTYPE, c_char_p, c_size_t, POINTER, sizeof, WINFUNCTYPE } from '../types.js'

const test = sessionSuite('callbacks')
const Unary = CFUNCTYPE(c_int, c_int)
let callbacks: Library
test.before(async ({ session }) => {
  callbacks = await session.cdll.LoadLibrary(dll('callbacks'))
})

test('called once, and as often as the routine likes', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  assert.is(await once(value => value + 1, 41), 42)
  assert.is(
    once.sync(value => -value, 5),
    -5,
  )
  const apply = callbacks.func('apply', [Unary, c_int], c_longlong)
  const seen: number[] = []
  assert.is(await apply(value => seen.push(value), 100), 5050n)
  seen.forEach((value, i) => assert.is(value, i))
})

test('what a header calls char * can be written, const char * is text', async () => {
  const { ask_word } = callbacks.declare('int ask_word(int (*ask)(char *room, int size, const char *question));')
  const answer = (room: Pointer<typeof c_char>, size: number, question: string) => {
    assert.equal([size, question], [16, 'word?'])
    for (const [index, letter] of [...'secret'].entries()) room.set(index, letter)
    return 6
  }
  assert.is(await ask_word(answer), 1)
  assert.is(ask_word.sync(answer), 1)
})

test('what it throws may be anything: a promise that never settles, or what cannot be asked what it is', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  // not by assert, which would ask
  for (const thrown of [new Promise(() => {}), Object.create(null), proxy, Symbol('thrown'), 5]) {
    const thrower = () => {
      throw thrown
    }
    const isThat = (error: unknown) => error === thrown
    assert.ok(await once(thrower, 1).then(() => false, isThat), 'awaited')
    let isSame = false
    try {
      once.sync(thrower, 1)
    } catch (error) {
      isSame = isThat(error)
    }
    assert.ok(isSame, 'blocking')
  }
  assert.is(await once(value => value + 1, 41), 42)
})

const times = full ? 1_000_000 : 100_000
test(`called ${times} times in one call`, async () => {
  const apply = callbacks.func('apply', [Unary, c_int], c_longlong)
  let count = 0
  const sum = apply.sync(value => {
    count++
    return value & 1
  }, times)
  assert.is(sum, BigInt(times / 2))
  assert.is(count, times)
})

test('arguments and results of every kind', async () => {
  const Mixed = CFUNCTYPE(c_double, c_byte, c_double, c_longlong, c_float, c_char_p, c_ushort)
  let seen: unknown[] = []
  const result = await callbacks.func(
    'call_mixed',
    [Mixed],
    c_double,
  )((...args) => {
    seen = args
    return 2.25
  })
  assert.is(result, 2.25)
  assert.equal(seen, [-3, 1.5, 1n << 40n, 0.25, 'text', 65535])
})

test('stdcall', async ({ session }) => {
  const library = session.WinDLL(dll('callbacks'))
  const call = library.func('call_stdcall', [WINFUNCTYPE(c_int, c_int), c_int], c_int)
  assert.is(await call(value => value * 3, 4), 12)
})

test('what a nested call was given is untouched by calls inside it', async () => {
  const unchanged = callbacks.func('unchanged', [POINTER(c_int), c_int, Unary, c_int], c_int)
  const eight = callbacks.func('sum_of_eight', Array(8).fill(c_int), c_int)
  const go = async (depth: number): Promise<void> => {
    const values = Int32Array.from({ length: 20 }, (_, i) => i + depth)
    const inside = async () => {
      assert.is(await eight(1, 2, 3, 4, 5, 6, 7, 8), 36)
      if (depth < 50) await go(depth + 1)
      return 0
    }
    assert.is(await unchanged(values, 20, inside, depth), 1)
    assert.is(values[19], 19 + depth)
  }
  await go(0)
  const blocking = (depth: number): void => {
    const values = Int32Array.from({ length: 20 }, (_, i) => i + depth)
    const inside = () => {
      assert.is(eight.sync(1, 2, 3, 4, 5, 6, 7, 8), 36)
      if (depth < 50) blocking(depth + 1)
      return 0
    }
    assert.is(unchanged.sync(values, 20, inside, depth), 1)
  }
  blocking(0)
})

test('what it throws rejects the call it happened in, and no other', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const eight = callbacks.func('sum_of_eight', Array(8).fill(c_int), c_int)
  const boom = new RangeError('boom')
  let inner: Promise<number> | undefined
  const outer = once(() => {
    inner = eight(1, 1, 1, 1, 1, 1, 1, 1)
    throw boom
  }, 1)
  assert.is(await rejects(outer, RangeError), boom)
  assert.is(await inner, 8)
  for (const nothing of [null, undefined, 0, 0n, false])
    await rejects(
      once(() => {
        throw nothing
      }, 1),
      ZugbrueckeError,
      'threw',
      String(nothing),
    )
})

test('two in one call, and the same one twice', async () => {
  const two = callbacks.func('call_two', [Unary, Unary, c_int], c_int)
  assert.is(
    await two(
      a => a + 1,
      a => a + 2,
      5,
    ),
    6007,
  )
  const same = (a: number) => a * 2
  assert.is(await two(same, same, 5), 10010)
})

test('pointers that it is given are read and written in place', async () => {
  const Compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
  const sort = callbacks.func('sort_of', [Compare, POINTER(c_int), c_int], c_int)
  const values = Int32Array.of(5, 3, -1, 4, 0)
  await sort((a, b) => (a?.contents.value ?? 0) - (b?.contents.value ?? 0), values, 5)
  assert.equal([...values], [-1, 0, 3, 4, 5])
})

test('qsort of msvcrt', async ({ session }) => {
  const Compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))
  const qsort = session.cdll.msvcrt.func('qsort', [POINTER(c_int), c_size_t, c_size_t, Compare] as const, null)
  const values = Int32Array.from({ length: 50 }, (_, i) => (i * 37) % 50)
  const compare = (a: { contents: { value: number } } | null, b: { contents: { value: number } } | null) =>
    (a?.contents.value ?? 0) - (b?.contents.value ?? 0)
  await qsort(values, 50, 4, compare as never)
  values.forEach((value, i) => assert.is(value, i))
})

test('callback, call, callback, to depth 50, blocking and awaited', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  let deepest = 0
  const down = (depth: number): number => {
    deepest = Math.max(deepest, depth)
    return depth === 50 ? 1000 : once.sync(down, depth + 1) + 1
  }
  assert.is(once.sync(down, 0), 1050)
  assert.is(deepest, 50)
  assert.is(await once(down, 0), 1050)
  const later = async (depth: number): Promise<number> => (depth === 50 ? 2000 : (await once(later, depth + 1)) + 1)
  assert.is(await once(later, 0), 2050)
})

test('calls made while it runs go ahead of those that wait', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  const order: string[] = []
  const outer = once(async value => {
    const inner = await plus(value, 1)
    order.push('inner')
    return inner
  }, 1)
  const behind = plus(5, 5).then(() => order.push('behind'))
  assert.is(await outer, 2)
  await behind
  assert.equal(order, ['inner', 'behind'])
})

test('a callback that waits for its thunk outside is not waited for inside', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const kept = Unary(value => value * 100)
  const outer = once(async value => once(kept, value), 1)
  const behind = once(kept, 2)
  assert.is(await outer, 100)
  assert.is(await behind, 200)
  kept.dispose()
})

test('a DLL that is loaded outside is not waited for inside', async ({ session }) => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const numbers = session.CDLL(dll('numbers'))
  const outer = once(async value => (await numbers.add(value, 1)) as number, 1)
  const behind = numbers.add(5, 5)
  assert.is(await outer, 2)
  assert.is(await behind, 10)
})

test('a call of each kind from inside', async ({ session }) => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const plus = callbacks.func('plus', [c_int, c_int], c_int)
  const texts = session.CDLL(dll('texts'))
  const sum = texts.func('checksum', [POINTER(c_byte), c_longlong], c_longlong)
  const big = new Int8Array(500_000).fill(1)
  let wanted = 0
  for (let i = 0; i < big.length; i++) wanted += (i % 251) + 1
  const inside = async () => {
    assert.is(Number(await sum(big, big.length)), wanted)
    assert.is(Number(sum.sync(big, big.length)), wanted)
    assert.equal([...(await plus.batch([Int32Array.of(1, 2, 3), 10]))], [11, 12, 13])
    // more chunks than one, of which only one can be under way here
    assert.equal([...(await plus.batch([Int32Array.of(1, 2, 3, 4, 5), 10], { chunk: 2 }))], [11, 12, 13, 14, 15])
    assert.equal([...plus.batch.sync([Int32Array.of(1, 2, 3), 10], { chunk: 2 })], [11, 12, 13])
    assert.ok((await session.FormatError(5)).length > 0)
    const other = await session.cdll.LoadLibrary(dll('numbers'))
    assert.is(await other.add(20, 22), 42)
    await rejects(plus('x' as never, 1), ArgumentError)
    return 7
  }
  assert.is(await once(inside, 0), 7)
  assert.is(await once(inside, 0), 7)
})

test('async functions, and not under .sync', async () => {
  const apply = callbacks.func('apply', [Unary, c_int], c_longlong)
  assert.is(
    await apply(async value => {
      await new Promise(resolve => setTimeout(resolve, 1))
      return value
    }, 10),
    45n,
  )
  throws(() => apply.sync((async (value: number) => value) as never, 3), ArgumentError, 'async')
  assert.is(
    apply.sync(value => value, 3),
    3n,
  )
})

test('what has a then need not be a promise', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const settling = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tried
    then(settle: (value: number) => void) {
      settle(5)
      settle(6)
      throw new RangeError('too late')
    },
  }
  assert.is(await once(() => settling as never, 1), 5)
  // biome-ignore lint/suspicious/noThenProperty: that is what is tried
  const throwing = { then: () => assert.unreachable('then') }
  await rejects(
    once(() => throwing as never, 1),
    assert.Assertion,
    'then',
  )
  let asked = 0
  const getter = {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tried
    get then() {
      if (++asked > 1) throw new RangeError('no more')
      return () => {}
    },
  }
  await rejects(
    once(() => getter as never, 1),
    RangeError,
    'no more',
  )
  assert.is(await once(value => value, 3), 3)
})

test('what it throws is the error of the call, that very one, and the routine gets zero', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const apply = callbacks.func('apply', [Unary, c_int], c_longlong)
  const boom = new RangeError('boom')
  const thrower = () => {
    throw boom
  }
  assert.is(await rejects(once(thrower, 1), RangeError), boom)
  assert.is(
    throws(() => once.sync(thrower, 1), RangeError),
    boom,
  )
  assert.is(
    await rejects(
      once(async () => thrower(), 1),
      RangeError,
    ),
    boom,
  )
  let count = 0
  const error = await rejects(
    apply(value => {
      count++
      throw new Error(`number ${value}`)
    }, 5),
    Error,
    'number 0',
  )
  assert.match(error.message, 'number 0')
  assert.is(count, 5)
  assert.is(await once(value => value, 9), 9)
})

test('an error in a callback of a callback ends at the call that it was made in', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  const outer = await once(value => {
    throws(
      () =>
        once.sync(() => {
          throw new RangeError('inner')
        }, 1),
      RangeError,
      'inner',
    )
    return value
  }, 3)
  assert.is(outer, 3)
})

test('a result that does not fit is an error', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  await rejects(
    once(() => 2 ** 40, 1),
    ArgumentError,
    'c_int',
  )
  await rejects(once((() => 'x') as never, 1), ArgumentError)
  assert.is(await once((() => undefined) as never, 1), 0)
})

test('a session makes callback types in its own layout', async ({ session }) => {
  const size = arch === 'win64' ? 8 : 4
  assert.is(sizeof(session.CFUNCTYPE(c_int, c_int)), size)
  assert.is(sizeof(session.WINFUNCTYPE(c_int, c_int)), size)
  const once = callbacks.func('call_once', [session.CFUNCTYPE(c_int, c_int), c_int] as const, c_int)
  assert.is(await once(x => x + 1, 2), 3)
})

test('what is no function is refused', async () => {
  const once = callbacks.func('call_once', [Unary, c_int], c_int)
  for (const bad of [5, 'x', {}, CFUNCTYPE(c_double, c_double)(value => value)])
    await rejects(once(bad as never, 1), ArgumentError, 'argument 1')
  throws(() => Unary(5 as never), ArgumentError)
  throws(() => CFUNCTYPE(5 as never), ArgumentError)
})

test.run()
