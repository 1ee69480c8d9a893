import * as assert from 'uvu/assert'
import {
  ArgumentError,
  c_double,
  c_int,
  c_uint,
  c_ulonglong,
  type Library,
  out,
  POINTER,
  RoutineNotFoundError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('declarations')
let numbers: Library
let rows: Library
test.before(async ({ session }) => {
  numbers = session.CDLL(dll('numbers'))
  rows = session.CDLL(dll('rows'))
})

test('argtypes and restype may change at any time', async () => {
  const same = numbers.same_uint64
  same.argtypes = [c_ulonglong]
  same.restype = c_ulonglong
  assert.is(await same(2n ** 64n - 1n), 2n ** 64n - 1n)
  same.restype = c_int
  assert.is(await same(2n ** 64n - 1n), -1)
  same.restype = c_uint
  assert.is(same.sync(2n ** 64n - 1n), 4294967295)
  same.argtypes = [c_int]
  await rejects(same(2n ** 64n - 1n), ArgumentError, 'c_int')
  same.argtypes = null
  assert.is(same.argtypes, undefined)
  assert.is(await same(5), 5)
  same.restype = null
  assert.is(await same(5), undefined)
})

test('a call keeps the declaration that it was made with', async () => {
  const same = numbers.same_int32
  same.argtypes = [c_int]
  same.restype = c_int
  const one = same(-1)
  same.restype = c_uint
  const two = same(-1)
  assert.is(await one, -1)
  assert.is(await two, 4294967295)
})

test('a restype that is a function is given the int', async () => {
  const negative = numbers.negative
  const seen: number[] = []
  negative.restype = (value: number) => {
    seen.push(value)
    return `<${value}>`
  }
  assert.is(await negative(), '<-5>')
  assert.is(negative.sync(), '<-5>')
  assert.equal(seen, [-5, -5])
  negative.restype = () => {
    throw new RangeError('not that')
  }
  await rejects(negative(), RangeError, 'not that')
})

test('errcheck sees result, routine and arguments, and decides', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  add.errcheck = (result, routine, args) => {
    assert.is(routine, add)
    if (args[0] === 0) throw new RangeError('zero')
    return [result, ...args]
  }
  assert.equal(await add(3, 4), [7, 3, 4])
  assert.equal(add.sync(3, 4), [7, 3, 4])
  await rejects(add(0, 4), RangeError, 'zero')
  throws(() => add.sync(0, 4), RangeError, 'zero')
  add.errcheck = undefined
  assert.is(await add(0, 4), 4)
})

test('errcheck sees the bare result beside objects for the out parameters, and may leave the rest as it is', async () => {
  const only = rows.func('only_out', [c_int, out(c_int)], null)
  const seen: unknown[] = []
  only.errcheck = (result, _routine, args) => {
    const [given, made] = args as [number, InstanceType<typeof c_int>]
    seen.push(result, given, made.value)
    return given < 0 ? 'none' : given > 10 ? made : args
  }
  const doubled = await only(4)
  assert.equal(seen, [undefined, 4, doubled])
  assert.is(await only(-1), 'none')
  assert.is(only.sync(-1), 'none')
  assert.instance(await only(11), c_int)

  const divide = rows.func('divide', [c_int, c_int, out(c_int), out(c_double)], c_int)
  const plain = await divide(17, 5)
  let all: readonly unknown[] = []
  divide.errcheck = (result, _routine, args) => {
    assert.is(result, 2)
    return (all = args)
  }
  assert.equal(await divide(17, 5), plain)
  assert.equal(divide.sync(17, 5), plain)
  assert.equal([all.length, (all[2] as InstanceType<typeof c_int>).value], [4, plain[1]])
})

test('errcheck that gives back the arguments leaves the result', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  add.errcheck = (_result, _routine, args) => args
  assert.is(await add(3, 4), 7)
  assert.is(add.sync(3, 4), 7)
})

test('a note _Out_ in a prototype is an out parameter', async () => {
  const divide = rows.func<[number, number], unknown>(
    'int divide(_In_ int a, _In_ int b, _Out_ int *rest, _Out_ double *exact)',
  )
  assert.equal(await divide(17, 5), await rows.func('divide', [c_int, c_int, out(c_int), out(c_double)], c_int)(17, 5))
  await rejects(
    (divide as unknown as (...args: unknown[]) => Promise<unknown>)(17, 5, null, null),
    ArgumentError,
    'takes 2 arguments',
    'out',
  )
})

test('what is no declaration is refused', () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  for (const bad of [5, 'int', [5], [c_int, 'x'], [undefined]])
    throws(() => Object.assign(add, { argtypes: bad }), ArgumentError, 'add')
  for (const bad of [5, 'int', {}, undefined]) throws(() => Object.assign(add, { restype: bad }), ArgumentError, 'add')
  throws(() => Object.assign(add, { errcheck: 5 }), ArgumentError, 'errcheck')
  throws(() => POINTER(5 as never), ArgumentError)
  assert.equal(add.argtypes, [c_int, c_int])
  assert.is(add.restype, c_int)
})

test('C prototypes', async () => {
  assert.is(await numbers.func('int add(int a, int b)')(20, 22), 42)
  assert.is(await numbers.func('int __stdcall subtract(int, int);')(20, 22), -2)
  assert.is(await numbers.func('void nothing(void)')(), undefined)
  assert.is(await numbers.func('unsigned long long same_uint64(unsigned long long)')(2n ** 63n), 2n ** 63n)
  assert.is(await numbers.func('double same_double(double x)')(0.1), 0.1)
  assert.is(await numbers.func('BOOL same_int32(DWORD x)')(1), 1)
  throws(() => numbers.func('int add(int a, nonsense b)'), ArgumentError, 'nonsense')
  throws(() => numbers.func('int add(int a'), ArgumentError)
  await rejects(numbers.func('int add(int a, int b)')(1), ArgumentError, 'add')
})

test('all routines of a header', async () => {
  const { add, mix, same_double } = numbers.declare(`
    #define COUNT 3
    typedef signed char i8;
    int add(int a, int b);
    double mix(i8, double, long long, float, unsigned char, double, short, unsigned);
    double same_double(double);
  `)
  assert.is(await add(1, 2), 3)
  assert.is(await same_double(2.5), 2.5)
  assert.is(await mix(1, 1, 1, 1, 1, 1, 1, 1), 36)
})

test('a name alone is a routine without types', async () => {
  const add = numbers.func('add')
  assert.is(await add(1, 2), 3)
  assert.is.not(add, numbers.func('add'))
  add.argtypes = [c_double, c_double]
  assert.is(await numbers.func(77)(2), 154)
  assert.is(await numbers.func('then')(5), 1005)
  await rejects(numbers.func('no_such')(), RoutineNotFoundError, '"no_such"')
  throws(() => numbers.func(''), ArgumentError, 'expected a type')
  throws(() => numbers.declare(5 as never), ArgumentError, 'a header is C as text, not number 5')
})

test('the types of a header are those that its routines take', async ({ session }) => {
  const text = 'typedef struct pair { int a, b; } pair; int same_pair(const pair *p); void *same_pointer(pair *p);'
  const { same_pointer } = numbers.declare(text)
  const Pair = session.header(text).types.pair
  assert.is.not(await same_pointer(new Pair({ a: 1 })), null)
  assert.is(numbers.declare(text).same_pointer?.argtypes?.[0], same_pointer.argtypes?.[0])
  const Alike = session.header(`${text} int more;`).types.pair
  assert.is.not(await same_pointer(new Alike({ a: 1 })), null)
  const Other = session.header(text.replace('int a, b', 'int a, c')).types.pair
  await rejects(
    same_pointer(new Other({})),
    ArgumentError,
    'expected POINTER(pair), got pair (another type of this name)',
  )
})

test('a routine has what functions have', async () => {
  const add = numbers.func('add', [c_int, c_int], c_int)
  assert.type(add, 'function')
  assert.is(await add.call(null, 1, 2), 3)
  assert.is(await add.apply(undefined, [1, 2]), 3)
  assert.is(await add.bind(undefined, 1)(2), 3)
})

test('detail gives the value beside the errors', async () => {
  const detail = await numbers.func('same_double', [c_double], c_double).detail(1.5)
  assert.is(detail.value, 1.5)
  assert.type(detail.lastError, 'number')
  assert.type(detail.errno, 'number')
})

test.run()
