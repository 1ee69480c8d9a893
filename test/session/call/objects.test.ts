/** Objects of JS that lead to each other, views that overlap, and handles: what a routine sees of them and what it leaves behind. */
import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import {
  ArgumentError,
  addressof,
  CtypesSession,
  c_char,
  c_float,
  c_int,
  c_longlong,
  c_ubyte,
  create_string_buffer,
  type Library,
  MemoryAccessError,
  type Pointer,
  RoutineNotFoundError,
} from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'
import { byref, CFUNCTYPE, c_char_p, c_size_t, c_void_p, cast, POINTER, pointer, Structure, Union } from '../types.js'
import { win32 } from '../win32.js'

class Node extends Structure({ value: c_int }) {
  declare next: Pointer<typeof Node> | null
  static {
    Node.define({ next: POINTER(Node) })
  }
}
const chain = (...values: number[]): Node | null =>
  values.reduceRight<Node | null>((next, value) => new Node({ value, next } as never), null)
function walk(from: Pointer<typeof Node> | null): number[] {
  const values: number[] = []
  for (let at = from; at && values.length < 10; at = at.contents.next) values.push(at.contents.value)
  return values
}

const test = sessionSuite('objects')
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(dll('objects'))
})

test('a pointer that was NULL leads to the object that the routine let it lead to', async () => {
  const link = lib.func('link_nodes', [POINTER(Node), POINTER(Node)], null)
  const [a, b] = [new Node({ value: 1 }), new Node({ value: 2 })]
  await link(a, b)
  b.value = 42
  assert.is(a.next?.contents.value, 42)
  const array = new (Node.array(3))()
  await link(byref(array[0]), byref(array[2]))
  array[2].value = 7
  assert.is(array[0].next?.contents.value, 7)
  // and so it goes out again
  assert.is((await lib.func('same_node', [POINTER(Node)], POINTER(Node))(a))?.contents.next?.contents.value, 42)
})

test('a list that the routine has turned is turned', async () => {
  const first = chain(1, 2, 3) as Node
  const head = pointer(first)
  await lib.func('rotate', [POINTER(POINTER(Node))], null)(byref(head))
  assert.equal(walk(head), [2, 3, 1])
  first.value = 10
  assert.equal(walk(head), [2, 3, 10])
})

test('a structure that is returned with a pointer to an argument leads to that object', async () => {
  class Held extends Structure({ node: POINTER(Node), count: c_int }) {}
  const node = new Node({ value: 4 })
  const held = await lib.func('hold', [POINTER(Node)], Held)(node)
  node.value = 9
  assert.equal([held.node?.contents.value, held.count], [9, 3])
  // one that comes in a register
  class Handle extends Structure({ node: POINTER(Node) }) {}
  const handle = await lib.func('handle_of', [POINTER(Node)], Handle)(node)
  node.value = 10
  assert.is(handle.node?.contents.value, 10)
})

test('every depth is changed, through pointers, pointers to pointers and arrays of them', async () => {
  class Deep extends Structure({ value: c_int }) {
    declare down: Pointer<typeof Deep> | null
    declare side: Pointer<ReturnType<typeof POINTER<typeof Deep>>> | null
    declare pair: (Pointer<typeof Deep> | null)[]
    static {
      Deep.define({
        down: POINTER(Deep),
        side: POINTER(POINTER(Deep)),
        count: POINTER(c_int),
        pair: POINTER(Deep).array(2),
      })
    }
  }
  const deep = (values: object) => new Deep(values as never)
  const [aside, second, count] = [deep({ value: 5 }), deep({ value: 6 }), new c_int(1)]
  const bottom = deep({ value: 3, count })
  const middle = deep({ value: 2, down: bottom, side: pointer(pointer(aside)) })
  const top = deep({ value: 1, down: middle, pair: [null, second] })
  assert.is(await lib.func('visit', [POINTER(Deep)], c_int)(top), 9)
  assert.equal([top.value, middle.value, bottom.value, count.value], [2, 3, 4, 11])
  assert.equal([aside.value, second.value, top.pair[1]?.contents.value], [105, 1006, 1006])
  assert.is(top.down?.contents.down?.contents.value, 4)
})

test('a pointer into the Windows process that the routine moves has moved', async ({ session }) => {
  const memory = await session.memory.alloc(c_int.array(3))
  memory.contents[1] = 55
  const at = cast(memory, POINTER(c_int))
  await lib.func('advance', [POINTER(POINTER(c_int))], null)(byref(at))
  assert.is(at[0], 55)
  assert.is(at.address, memory.address + 4n)
  const local = new (c_int.array(3))(1, 2, 3)
  const inside = cast(local, POINTER(c_int))
  await lib.func('advance', [POINTER(POINTER(c_int))], null)(byref(inside))
  inside.contents.value = 50
  assert.equal([...local], [1, 50, 3])
})

test('views of one ArrayBuffer are one memory, however they overlap', async () => {
  const distance = lib.func('distance', [c_void_p, c_void_p], c_longlong)
  const whole = new Uint8Array(16)
  assert.is(await distance(whole.subarray(4), whole), -4n)
  assert.is(await distance(whole.subarray(0, 8), whole.subarray(4, 12)), 4n)
  assert.is(await distance(byref(Node.from_buffer(whole)), whole), 0n)
  const add = lib.func('add_one', [POINTER(c_ubyte), c_int, POINTER(c_ubyte), c_int], null)
  await add(whole.subarray(0, 4), 4, whole, 8)
  await add(whole.subarray(8, 13), 5, whole.subarray(11), 5)
  assert.equal([...whole], [2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1])
})

test('a type with an alignment of its own lies at a multiple of it', async () => {
  class Wide extends Structure({ x: c_float.array(16) }, { align: 64 }) {}
  const alignmentOf = lib.func('alignment_of', [POINTER(Wide)], c_int)
  for (let i = 0; i < 5; i++) assert.ok((await alignmentOf(new Wide())) >= 64)
  assert.ok((await alignmentOf(new (Wide.array(3))())) >= 64)
})

test('functions in lists and literals are callbacks for the time of the call', async () => {
  const Operation = CFUNCTYPE(c_int, c_int, c_int)
  const apply = lib.func('apply_each', [POINTER(Operation), c_int, c_int, c_int], c_int)
  assert.is(await apply([(a, b) => a + b, (a, b) => a * b], 2, 7, 2), 914)
  assert.is(apply.sync([(a, b) => a - b], 1, 7, 2), 5)
  class Scaled extends Structure({ f: CFUNCTYPE(c_int, c_int), plus: c_int }) {}
  assert.is(await lib.func('apply_scaled', [Scaled, c_int], c_int)({ f: x => 2 * x, plus: 5 }, 4), 13)
  assert.is(
    await lib.func('apply_scaled_at', [POINTER(Scaled), c_int], c_int)(new Scaled({ f: x => 3 * x, plus: 5 }), 4),
    17,
  )
})

test('function pointers that the routine writes replace callbacks, in place and as data exports', async ({
  session,
}) => {
  const Operation = CFUNCTYPE(c_int, c_int, c_int)
  class Operations extends Structure({ first: Operation, second: Operation, third: Operation }) {}
  const all = new Operations({ first: () => 1, third: () => 3 })
  const { third } = all
  await lib.func('fill_operations', [POINTER(Operations)], null)(all)
  const call = (f: typeof all.first) => (typeof f === 'function' ? f(2, 3) : undefined)
  assert.is(await call(all.first), 5)
  assert.is(await call(all.second), 6)
  assert.is(all.third, third)

  const current = Operation.in_dll(lib, 'current')
  assert.is(await call(current.value), 5)
  current.value = all.second
  assert.is(await call(current.value), 6)
  current.value = all.first
  assert.match(inspect(current), /^CFUNCTYPE\(c_int, c_int, c_int\) 0x/)
  const memory = await session.memory.alloc(Operation)
  assert.is(memory.contents.value, null)
})

test('the address of a function is cast to what can be called', async ({ session }) => {
  const Operation = CFUNCTYPE(c_int, c_int, c_int)
  const current = c_void_p.in_dll(lib, 'current')
  const add = session.cast(current.value ?? 0n, Operation)
  assert.is(await add?.(2, 3), 5)
  assert.is(add?.sync(20, 3), 23)
  assert.is(session.cast(0n, Operation), null)
  assert.is(await cast(cast(byref(current), POINTER(Operation)), POINTER(c_void_p))[0], current.value)
  assert.is(await lib.func('apply_each', [POINTER(Operation), c_int, c_int, c_int], c_int)([add, add], 2, 2, 3), 505)
})

win32(test)('types without a layout of their own take that of the session', async () => {
  const small = await CtypesSession.start({ arch: 'win32' })
  try {
    const memory = await small.memory.alloc(c_size_t.array(2))
    assert.is(memory.size, 8)
    memory.contents[1] = 7n
    assert.is(small.cast(memory, POINTER(c_size_t)).at(1), 7n)
    assert.is(small.memory.at(c_size_t, memory.address + 4n).value, 7n)
    const there = await small.cdll.LoadLibrary(dll('objects', 'win32'))
    assert.is(addressof(c_int.in_dll(there, 'numbers')), c_void_p.in_dll(there, 'numbers_at').value)
  } finally {
    await small.terminate()
  }
})

test('memory of the Windows process may point to functions of JS', async ({ session }) => {
  const Operation = CFUNCTYPE(c_int, c_int, c_int)
  const apply = lib.func('apply_each', [POINTER(Operation), c_int, c_int, c_int], c_int)
  const table = await session.memory.alloc(Operation.array(2))
  table.contents[0] = Operation((a, b) => a + b)
  table.contents.set(1, (a, b) => a * b)
  assert.is(await apply(table, 2, 7, 2), 914)
  const current = Operation.in_dll(lib, 'current')
  const before = current.value
  const callback = Operation((a, b) => a - b)
  current.value = callback
  assert.is(await apply(byref(current), 1, 7, 2), 5)
  // also while a call that was made before is still under way
  const pending = apply(table, 1, 1, 2)
  table.contents.set(1, (a, b) => a - b)
  assert.is(await pending, 3)
  assert.is(apply.sync(table, 2, 7, 2), 905)
  callback.dispose()
  current.value = before
  throws(
    () => {
      current.value = callback
    },
    ArgumentError,
    'disposed',
  )
})

test('data exports have an address and may be pointed to', async () => {
  const node = Node.in_dll(lib, 'first_node')
  assert.is(addressof(node), POINTER(Node).in_dll(lib, 'start').address)
  assert.is(pointer(node).address, addressof(node))
  node.next = pointer(node)
  assert.is(node.next?.contents.value, 5)
  node.next = null
  const numbers = c_int.array(4).in_dll(lib, 'numbers')
  assert.is(await lib.func('read_int', [POINTER(c_int)], c_int)(numbers), 1)
  assert.is(await lib.func('read_int', [POINTER(c_int)], c_int)(byref(numbers, 8)), 3)
  assert.match(inspect(c_int.in_dll(lib, 'numberz')), '<unreadable>')
  throws(() => c_int.in_dll(lib, 'numberz').value, RoutineNotFoundError, 'numberz')
})

test('memory that was freed is refused, by whatever name it is given', async ({ session }) => {
  const memory = await session.memory.alloc(Node)
  const names = [
    memory,
    memory.contents,
    byref(memory.contents),
    pointer(memory.contents),
    new Node({ next: memory } as never),
  ]
  const same = lib.func('same_node', [POINTER(Node)], POINTER(Node))
  for (const name of names) await same(name as never)
  await memory.free()
  for (const name of names) await rejects(same(name as never), MemoryAccessError, 'freed')
  throws(() => addressof(memory.contents), MemoryAccessError, 'freed')
  throws(() => pointer(memory.contents).contents.value, MemoryAccessError, 'freed')
  assert.match(inspect(memory), `${Node.size} bytes that have been freed`)
})

test('an allocation is read and written within its bounds', async ({ session }) => {
  const memory = await session.memory.alloc(8)
  throws(() => memory.read(4, 8), ArgumentError, '8 bytes at offset 4 do not lie in the 8 bytes')
  throws(() => memory.read(-1), ArgumentError)
  throws(() => memory.write(new Uint8Array(2), 7), ArgumentError)
  assert.equal([...memory.read(6)], [0, 0])
})

test('what belongs to another session is refused, and both are named', async ({ session }) => {
  const other = await CtypesSession.start()
  try {
    const memory = await other.memory.alloc(Node)
    const at = pointer(memory.contents)
    for (const given of [memory, at] as { readonly address: bigint }[]) {
      throws(() => session.cast(given, POINTER(Node)), ArgumentError, session.id, other.id)
      throws(() => session.string_at(given), ArgumentError, session.id, other.id)
      throws(() => session.wstring_at(given), ArgumentError, session.id, other.id)
      throws(() => session.memory.read(given, 4), ArgumentError, session.id, other.id)
      throws(() => session.memory.write(given, new Uint8Array(1)), ArgumentError, session.id, other.id)
      throws(() => session.memory.at(Node, given), ArgumentError, session.id, other.id)
    }
    await rejects(session.memory.free(memory), ArgumentError, session.id, other.id)
    await rejects(lib.func('same_node', [POINTER(Node)], null)(memory), ArgumentError, session.id, other.id)
  } finally {
    await other.terminate()
  }
})

test('a structure assigned into the Windows process takes its pointers along, all of their bytes', async ({
  session,
}) => {
  const target = await session.memory.alloc(Node)
  target.contents.value = 77
  const node = chain(1, 2) as Node
  // leaves the address of this call's memory in the bytes of the cell
  await lib.func('same_node', [POINTER(Node)], null)(node)
  node.next = pointer(target.contents)
  const nodes = await session.memory.alloc(Node.array(2))
  nodes.contents[1] = node
  assert.is(nodes.contents[1].next?.contents.value, 77)
})

test('showing an object never fails', async () => {
  class Anything extends Structure({ data: c_void_p, number: c_longlong }) {}
  const anything = new Anything()
  const number = new c_int(4)
  await lib.func('put_anything', [POINTER(Anything), POINTER(c_int)], null)(anything, number)
  assert.is.not(anything.number, 0n)
  assert.is(anything.data, anything.number)
  assert.is(anything.data, addressof(number))
  const stays = new c_int(5)
  throws(() => new c_void_p(stays).value, ArgumentError, 'no address yet')
  for (const shown of [new c_void_p(stays), new (c_void_p.array(2))(stays, null)]) {
    assert.match(inspect(shown), '<c_void_p>')
    assert.match(JSON.stringify(shown), '<c_void_p>')
  }
  class Maybe extends Union({ text: c_char_p, number: c_longlong }) {}
  const maybe = new Maybe({ number: 16n })
  await lib.func('same_node', [c_void_p], null)(byref(maybe))
  assert.type(inspect(maybe), 'string')
  assert.type(JSON.stringify(maybe), 'string')
})

test('text that objects hold is in the encoding of the session that it is given to', async () => {
  const latin = await CtypesSession.start({ encoding: 'windows-1252' })
  try {
    const there = await latin.cdll.LoadLibrary(dll('objects'))
    class Named extends Structure({ text: c_char_p, number: c_int }) {}
    const byteOf = there.func('byte_of', [c_char_p, c_int], c_int)
    const byteOfNth = there.func('byte_of_nth', [c_void_p, c_int, c_int], c_int)
    assert.is(await byteOf('grü', 2), 0xfc)
    assert.is(await byteOf(new c_char_p('grü'), 2), 0xfc)
    assert.is(await there.func('byte_of_nth', [POINTER(c_char_p), c_int, c_int], c_int)(['a', 'grü'], 1, 2), 0xfc)
    assert.is(await byteOfNth(new (c_char_p.array(2))('a', 'grü'), 1, 2), 0xfc)
    const named = new Named({ text: 'grü' })
    assert.is(await byteOfNth(byref(named), 0, 2), 0xfc)
    assert.is(named.text, 'grü')
    // the same object in a session of UTF-8
    assert.is(await lib.func('byte_of_nth', [c_void_p, c_int, c_int], c_int)(byref(named), 0, 2), 0xc3)
    await rejects(byteOfNth(byref(new Named({ text: '漢' })), 0, 0), ArgumentError, 'argument 1', 'windows-1252')

    const buffer = create_string_buffer(16)
    await there.func('write_text', [c_char_p], null)(buffer)
    assert.is(buffer.value, 'grüß')
    const memory = await latin.memory.alloc(c_char.array(8))
    memory.contents.value = 'grü'
    assert.equal([...memory.contents.raw.subarray(0, 4)], [0x67, 0x72, 0xfc, 0])
    assert.is(memory.contents.value, 'grü')
  } finally {
    await latin.terminate()
  }
})

test('the offset of a field of an anonymous member', () => {
  class Number_ extends Union({ i: c_int, f: c_float }) {}
  class Outer extends Structure({ kind: c_int, number: Number_ }, { anonymous: ['number'] }) {}
  assert.is(Outer.offsetof('f'), 4)
  throws(() => Outer.offsetof('g'), ArgumentError, 'no field g')
})

test.run()
