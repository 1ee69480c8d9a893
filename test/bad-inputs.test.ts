/**
 * What every public function makes of what it does not take: one error of ours, thrown where the function is synchronous, as a
 * rejection where it is awaited. Nothing of it reaches the Windows side, and the session lives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as zugbruecke from 'zugbruecke'
import {
  ArgumentError,
  addressof,
  alignment,
  bits,
  byref,
  CFUNCTYPE,
  CtypesSession,
  c_char,
  c_char_p,
  c_double,
  c_int,
  c_void_p,
  c_voidp,
  c_wchar_p,
  cast,
  create_string_buffer,
  create_unicode_buffer,
  ctypes_session,
  decodeError,
  memmove,
  memset,
  out,
  POINTER,
  plain,
  pointer,
  readHeader,
  resize,
  SessionPool,
  Structure,
  sizeof,
  string_at,
  types,
  Union,
  useLogger,
  view,
  WINFUNCTYPE,
  wstring_at,
  ZugbrueckeError,
} from 'zugbruecke'
import { dll, rejects, throws } from './session/support.js'

/** Refers to itself. */
function roundabout(): object {
  const made: { self?: object } = {}
  made.self = made
  return made
}
/** Nothing can be asked of it. */
function revoked<T extends object>(target: T): T {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}
/** Whatever is asked of it, it throws. */
function hostile<T extends object>(target: T): T {
  const refuse = () => {
    throw new Error('a trap of the program')
  }
  return new Proxy(target, {
    ...{ get: refuse, set: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse },
    ...{ getOwnPropertyDescriptor: refuse, defineProperty: refuse, apply: refuse, construct: refuse },
  })
}

/** Tried on everything; a row names those that it does take. */
const GIVEN = {
  undefined: undefined,
  null: null,
  nan: Number.NaN,
  negative: -1,
  fraction: 1.5,
  infinite: Number.POSITIVE_INFINITY,
  large: 2 ** 33,
  huge: Number.MAX_SAFE_INTEGER,
  zero: 0,
  bigint: -7n,
  true: true,
  empty: '',
  text: 'nonsense \u{1f600}',
  nul: 'add\0x',
  symbol: Symbol('s'),
  object: {},
  bare: Object.create(null) as object,
  unknown: { nonsense: 1 },
  array: [],
  list: [1, 'x'],
  date: new Date(0),
  bytes: Uint8Array.of(1, 2, 3),
  function: () => 0,
  class: class Nonsense {},
  type: c_int,
  promise: Promise.resolve(1),
  map: new Map(),
  round: roundabout(),
  holes: new Array(2),
  revoked: revoked({}),
  'revoked list': revoked([]),
  'revoked function': revoked(() => 0),
  hostile: hostile({}),
  'hostile list': hostile([1]),
  'hostile function': hostile(() => 0),
} as const
type Name = keyof typeof GIVEN
const NUMBERS: readonly Name[] = ['nan', 'negative', 'fraction', 'infinite', 'large', 'huge', 'zero']
const HOSTILE: readonly Name[] = [
  ...(['revoked', 'revoked list', 'revoked function', 'hostile', 'hostile list', 'hostile function'] as const),
]
const OBJECTS: readonly Name[] = ['object', 'bare']
const TEXTS: readonly Name[] = ['empty', 'text', 'nul']
const INTEGERS: readonly Name[] = ['negative', 'zero', 'bigint', 'true']
const WHOLE: readonly Name[] = ['negative', 'large', 'huge', 'zero']

interface Things {
  session: CtypesSession
  pool: SessionPool
}
const test = suite<Things>('what is not taken')
type Act = (given: never, things: Things) => unknown
type Row = readonly [name: string, act: Act, takes?: readonly Name[]]

// biome-ignore lint/suspicious/noExplicitAny: the point is to give what the types refuse
type Any = any
const lib = (session: CtypesSession) => session.CDLL(dll('tally')) as Any
const add = (session: CtypesSession) => lib(session).func('add', [c_int, c_int], c_int) as Any

class Point extends Structure({ x: c_int, y: c_int }) {}

/** What the scalar types take. */
const INTO: { readonly [kind: string]: readonly Name[] } = {
  integer: ['undefined', ...INTEGERS],
  long: ['undefined', ...INTEGERS, 'large', 'huge'],
  float: ['undefined', ...NUMBERS, 'bigint', 'true'],
  boolean: ['undefined', 'true', 'zero'],
  character: ['undefined', 'negative', 'zero', 'bigint'],
}
const SCALARS: readonly Row[] = Object.entries({
  ...{ c_bool: 'boolean', c_wchar: 'character', c_float: 'float', c_longdouble: 'float', HRESULT: 'integer' },
  ...{ c_byte: 'integer', c_ubyte: 'integer', c_short: 'integer', c_ushort: 'integer', c_uint: 'integer' },
  ...{ c_long: 'integer', c_ulong: 'integer', c_int8: 'integer', c_uint8: 'integer', c_int16: 'integer' },
  ...{ c_uint16: 'integer', c_int32: 'integer', c_uint32: 'integer', c_longlong: 'long', c_ulonglong: 'long' },
  ...{ c_int64: 'long', c_uint64: 'long', c_size_t: 'long', c_ssize_t: 'long', c_time_t: 'long' },
}).map(([name, kind]) => [
  `new ${name}(given)`,
  given => new (zugbruecke[name as keyof typeof zugbruecke] as Any)(given),
  INTO[kind],
])

const SYNC: readonly Row[] = [
  ...SCALARS,
  ...(['BigEndianStructure', 'LittleEndianStructure', 'BigEndianUnion', 'LittleEndianUnion'] as const).map(
    (name): Row => [`${name}(given)`, given => zugbruecke[name](given), OBJECTS],
  ),
  ['new c_voidp(given)', given => new c_voidp(given), ['undefined', 'null', ...TEXTS, 'bytes', ...WHOLE, 'bigint']],
  ['new ctypes_session(given)', given => new ctypes_session(given), ['undefined', ...OBJECTS]],
  ['plain(given)', given => plain(given)],
  ['resize(given, 10)', given => resize(given, 10)],
  ['resize(object, given)', given => resize(new c_int(1), given)],
  ['useLogger(given)', given => useLogger(given), ['null']],
  ['decodeError(given)', given => decodeError(given)],
  ['OleDLL(given)', (given, { session }) => session.OleDLL(given), ['text']],
  ['windll.LoadLibrary.sync(given)', (given, { session }) => session.windll.LoadLibrary.sync(given)],
  ['oledll.LoadLibrary.sync(given)', (given, { session }) => session.oledll.LoadLibrary.sync(given)],
  ['memory.place(given)', (given, { session }) => session.memory.place(given)],
  ['memory.array(given, 2)', (given, { session }) => session.memory.array(given, 2), ['type']],
  ['memory.array(type, given)', (given, { session }) => session.memory.array(c_int, given), ['zero']],
  ['memory.array(typed array, given)', (given, { session }) => session.memory.array(Int8Array, given), ['zero']],
  ['from_buffer_copy(given)', given => c_int.from_buffer_copy(given)],
  ['from_buffer_copy(bytes, given)', given => c_int.from_buffer_copy(new Uint8Array(8), given), ['undefined', 'zero']],
  ['array.set(given, 1)', given => (new (c_int.array(2))() as Any).set(given, 1), ['zero', 'negative']],
  ['array.set(0, given)', given => (new (c_int.array(2))() as Any).set(0, given), INTEGERS],
  ['array.from(given)', given => (c_int.array(2) as Any).from(given), ['array', 'map']],
  ['new CtypesSession(given)', given => new CtypesSession(given), ['undefined', 'object', 'bare']],
  ['CDLL(given)', (given, { session }) => session.CDLL(given), ['text']],
  ['new WinDLL(given)', (given, { session }) => new session.WinDLL(given), ['text']],
  ['CDLL(name, given)', (given, { session }) => session.CDLL('x', given), ['undefined', ...OBJECTS]],
  [
    'CDLL(name, { use_last_error })',
    (given, { session }) => session.CDLL('x', { use_last_error: given }),
    ['undefined', 'true'],
  ],
  ['CDLL(name, { use_errno })', (given, { session }) => session.CDLL('x', { use_errno: given }), ['undefined', 'true']],
  ['CDLL(name, { mode })', (given, { session }) => session.CDLL('x', { mode: given }), ['undefined', 'zero']],
  ['LoadLibrary.sync(given)', (given, { session }) => session.cdll.LoadLibrary.sync(given)],
  ['func(given)', (given, { session }) => lib(session).func(given), ['zero', 'negative'].slice(0, 1) as Name[]],
  ['func(given, [], null)', (given, { session }) => lib(session).func(given, [], null), ['zero', 'text']],
  ['func(name, given)', (given, { session }) => lib(session).func('add', given, c_int), ['undefined', 'null', 'array']],
  ['func(name, [given])', (given, { session }) => lib(session).func('add', [given], c_int), ['type']],
  [
    'func(name, [], given)',
    (given, { session }) => lib(session).func('add', [], given),
    ['undefined', 'null', 'type', 'function', 'class'],
  ],
  ['declare(given)', (given, { session }) => lib(session).declare(given), ['empty']],
  ['header(given)', (given, { session }) => session.header(given), ['empty']],
  [
    'argtypes = given',
    (given, { session }) => {
      lib(session).func('add').argtypes = given
    },
    ['undefined', 'null', 'array'],
  ],
  [
    'restype = given',
    (given, { session }) => {
      lib(session).func('add').restype = given
    },
    ['null', 'type', 'function', 'class'],
  ],
  [
    'errcheck = given',
    (given, { session }) => {
      lib(session).func('add').errcheck = given
    },
    ['undefined', 'null', 'function', 'class', 'type'],
  ],
  [
    'memsync = given',
    (given, { session }) => {
      lib(session).func('add').memsync = given
    },
    ['undefined', 'null', 'array'],
  ],
  [
    'memsync = [given]',
    (given, { session }) => {
      lib(session).func('add').memsync = [given]
    },
  ],
  ['routine.sync(given, 1)', (given, { session }) => add(session).sync(given, 1), INTEGERS],
  ['routine.sync(1, 2, given)', (given, { session }) => add(session).sync(1, 2, given)],
  ['routine.with(given).sync', (given, { session }) => add(session).with(given).sync(1, 2), ['undefined', ...OBJECTS]],
  [
    'with({ timeout }).sync',
    (given, { session }) => add(session).with({ timeout: given }).sync(1, 2),
    ['undefined', 'infinite', 'large', 'huge', 'fraction', 'zero'],
  ],
  ['with({ signal }).sync', (given, { session }) => add(session).with({ signal: given }).sync(1, 2), ['undefined']],
  ['detail.sync(given)', (given, { session }) => add(session).detail.sync(given, 1), INTEGERS],
  ['batch.sync(given)', (given, { session }) => add(session).batch.sync(given)],
  [
    'batch.sync([given, column])',
    (given, { session }) => add(session).batch.sync([given, Int32Array.of(1, 2)]),
    INTEGERS,
  ],
  [
    'batch.sync(columns, given)',
    (given, { session }) => add(session).batch.sync([[1], [2]], given),
    ['undefined', ...OBJECTS],
  ],
  ['batch.sync({ rows })', (given, { session }) => add(session).batch.sync([1, 2], { rows: given }), ['zero']],
  [
    'batch.sync({ chunk })',
    (given, { session }) => add(session).batch.sync([[1], [2]], { chunk: given }),
    ['undefined', 'large', 'huge'],
  ],
  [
    'batch.sync({ detail })',
    (given, { session }) => add(session).batch.sync([[1], [2]], { detail: given }),
    ['undefined', 'true'],
  ],
  [
    'batch.sync({ signal })',
    (given, { session }) => add(session).batch.sync([[1], [2]], { signal: given }),
    ['undefined'],
  ],
  [
    'batch.sync({ onProgress })',
    (given, { session }) => add(session).batch.sync([[1], [2]], { onProgress: given }),
    ['undefined', 'function', 'class', 'type'],
  ],
  ['getParameter(given)', (given, { session }) => session.getParameter(given)],
  ['on(given, …)', (given, { session }) => session.on(given, () => {})],
  ['on(event, given)', (given, { session }) => session.on('end', given), ['function', 'class', 'type']],
  ['off(event, given)', (given, { session }) => session.off('end', given), ['function', 'class', 'type']],
  ['string_at(given)', (given, { session }) => session.string_at(given)],
  ['string_at(address, given)', (given, { session }) => session.string_at(0x10000, given), ['undefined', 'zero']],
  ['wstring_at(given)', (given, { session }) => session.wstring_at(given)],
  [
    'session.cast(given, type)',
    (given, { session }) => session.cast(given, POINTER(c_int)),
    ['null', 'large', 'huge', 'zero', 'bytes', 'text', 'empty', 'nul', 'bigint', 'negative'],
  ],
  ['session.cast(address, given)', (given, { session }) => session.cast(0x10000, given)],
  ['session.cast(null, given)', (given, { session }) => session.cast(null, given)],
  ['memory.read(given, 1)', (given, { session }) => session.memory.read(given, 1)],
  ['memory.read(address, given)', (given, { session }) => session.memory.read(0x10000, given), ['zero']],
  ['memory.write(given, bytes)', (given, { session }) => session.memory.write(given, Uint8Array.of(1))],
  ['memory.write(address, given)', (given, { session }) => session.memory.write(0x10, given)],
  ['memory.at(given, address)', (given, { session }) => session.memory.at(given, 0x10000), ['type']],
  ['memory.at(type, given)', (given, { session }) => session.memory.at(c_int, given), [...WHOLE, 'bigint']],
  ['memory.alloc.sync(given)', (given, { session }) => session.memory.alloc.sync(given), ['zero', 'type', 'large']],
  ['memory.free.sync(given)', (given, { session }) => session.memory.free.sync(given)],
  ['allocation.read(given)', (given, { session }) => session.memory.alloc.sync(8).read(given), ['undefined', 'zero']],
  [
    'allocation.read(0, given)',
    (given, { session }) => session.memory.alloc.sync(8).read(0, given),
    ['undefined', 'zero'],
  ],
  ['allocation.write(given)', (given, { session }) => session.memory.alloc.sync(8).write(given), ['bytes']],
  [
    'allocation.write(bytes, given)',
    (given, { session }) => session.memory.alloc.sync(8).write(Uint8Array.of(1), given),
    ['undefined', 'zero'],
  ],
  ['FormatError.sync(given)', (given, { session }) => session.FormatError.sync(given), ['undefined', ...INTEGERS]],
  ['WinError.sync(given)', (given, { session }) => session.WinError.sync(given), ['undefined', ...INTEGERS]],
  ['WinError.sync(5, given)', (given, { session }) => session.WinError.sync(5, given), ['undefined', ...TEXTS]],
  ['set_last_error.sync(given)', (given, { session }) => session.set_last_error.sync(given), INTEGERS],
  ['set_errno.sync(given)', (given, { session }) => session.set_errno.sync(given), INTEGERS],
  ['add_dll_directory.sync(given)', (given, { session }) => session.add_dll_directory.sync(given)],
  ['pathUnixToWine.sync(given)', (given, { session }) => session.pathUnixToWine.sync(given), ['text', 'empty']],
  ['pathWineToUnix.sync(given)', (given, { session }) => session.pathWineToUnix.sync(given), ['text', 'empty']],
  ['find_library.sync(given)', (given, { session }) => session.util.find_library.sync(given), ['text', 'empty']],
  ['pool.func(given, …)', (given, { pool }) => pool.func(given, 'int add(int a, int b)'), ['text']],
  ['pool.func(dll, given)', (given, { pool }) => pool.func(dll('tally'), given), ['zero']],
  [
    'pool.func(dll, name, given)',
    (given, { pool }) => pool.func(dll('tally'), 'add', given, c_int),
    ['array', 'null', 'undefined'],
  ],
  [
    'pool.func(dll, name, [], given)',
    (given, { pool }) => pool.func(dll('tally'), 'add', [], given),
    ['undefined', 'null', 'type', 'function', 'class'],
  ],
  // no session
  ['sizeof(given)', given => sizeof(given), ['type']],
  ['alignment(given)', given => alignment(given), ['type']],
  ['addressof(given)', given => addressof(given)],
  ['types(given)', given => types(given)],
  ['POINTER(given)', given => POINTER(given), ['null', 'type']],
  ['pointer(given)', given => pointer(given)],
  ['byref(given)', given => byref(given)],
  ['byref(object, given)', given => byref(new c_int(1), given), ['undefined', 'zero', 'negative', 'large', 'huge']],
  ['out(given)', given => out(given), ['type']],
  ['bits(given, 3)', given => bits(given, 3), ['type']],
  ['bits(c_int, given)', given => bits(c_int, given), ['zero']],
  ['view(given, name)', given => view(given, 'x' as never)],
  ['view(object, given)', given => view(new Point(), given)],
  ['Structure(given)', given => Structure(given), OBJECTS],
  ['Structure({ x: given })', given => Structure({ x: given }), ['type']],
  ['Structure({}, given)', given => Structure({ x: c_int }, given), ['undefined', ...OBJECTS]],
  ['Structure({}, { pack })', given => Structure({ x: c_int }, { pack: given }).size, ['undefined']],
  ['Structure({}, { align })', given => Structure({ x: c_int }, { align: given }).size, ['undefined']],
  ['Structure({}, { anonymous })', given => Structure({ x: c_int }, { anonymous: given }).size, ['undefined', 'array']],
  ['Union(given)', given => Union(given), OBJECTS],
  ['define(given)', given => class extends Structure({}) {}.define(given), OBJECTS],
  ['offsetof(given)', given => Point.offsetof(given)],
  [
    'new Point(given)',
    given => new Point(given),
    ['undefined', 'negative', 'zero', 'bigint', 'object', 'bare', 'true'],
  ],
  ['new Point({ x: given })', given => new Point({ x: given }), ['undefined', 'negative', 'zero', 'bigint', 'true']],
  [
    'point.x = given',
    given => {
      new Point().x = given
    },
    INTEGERS,
  ],
  ['new c_int(given)', given => new c_int(given), ['undefined', 'negative', 'zero', 'bigint', 'true']],
  ['new c_double(given)', given => new c_double(given), ['undefined', ...NUMBERS, 'bigint', 'true']],
  ['new c_char(given)', given => new c_char(given), ['undefined', 'negative', 'zero', 'bigint']],
  [
    'new c_char_p(given)',
    given => new c_char_p(given),
    ['undefined', 'null', ...TEXTS, 'bytes', ...WHOLE, 'bigint', 'array', 'list'],
  ],
  [
    'new c_wchar_p(given)',
    given => new c_wchar_p(given),
    ['undefined', 'null', ...TEXTS, ...WHOLE, 'bigint', 'array', 'list'],
  ],
  ['new c_void_p(given)', given => new c_void_p(given), ['undefined', 'null', ...TEXTS, 'bytes', ...WHOLE, 'bigint']],
  [
    'new (POINTER(c_int))(given)',
    given => new (POINTER(c_int))(given),
    ['undefined', 'null', ...WHOLE, 'bigint', 'bytes', 'array'],
  ],
  ['pointer.at(given)', given => pointer(new c_int(5)).at(given), ['zero']],
  ['pointer.slice(given)', given => pointer(new c_int(5)).slice(given), ['zero', 'negative']],
  [
    'pointer.contents = given',
    given => {
      pointer(new c_int(5)).contents = given
    },
    ['null'],
  ],
  ['c_int.array(given)', given => c_int.array(given), ['zero']],
  ['new (c_int.array(2))(given)', given => new (c_int.array(2))(given), INTEGERS],
  ['array.at(given)', given => (new (c_int.array(2))() as Any).at(given), ['zero', 'negative']],
  [
    'array[1] = given',
    given => {
      ;(new (c_int.array(2))() as Any)[1] = given
    },
    INTEGERS,
  ],
  [
    'array.value = given',
    given => {
      ;(new (c_char.array(20))() as Any).value = given
    },
    [...TEXTS, 'bytes'],
  ],
  [
    'array.raw = given',
    given => {
      ;(new (c_char.array(20))() as Any).raw = given
    },
    ['bytes'],
  ],
  ['from_buffer(given)', given => c_int.from_buffer(given)],
  ['from_buffer(bytes, given)', given => c_int.from_buffer(new Uint8Array(8), given), ['undefined', 'zero']],
  ['in_dll(given, name)', given => c_int.in_dll(given, 'x')],
  ['in_dll(library, given)', (given, { session }) => c_int.in_dll(lib(session), given), ['text', 'zero']],
  ['create_string_buffer(given)', given => create_string_buffer(given), ['zero', ...TEXTS, 'bytes']],
  ['create_string_buffer(text, given)', given => create_string_buffer('', given), ['undefined', 'zero']],
  ['create_unicode_buffer(given)', given => create_unicode_buffer(given), ['zero', ...TEXTS]],
  ['create_unicode_buffer(text, given)', given => create_unicode_buffer('', given), ['undefined', 'zero']],
  ['string_at(given)', given => string_at(given), ['bytes']],
  ['string_at(bytes, given)', given => string_at(Uint8Array.of(1, 0), given), ['undefined', 'zero']],
  ['wstring_at(bytes, given)', given => wstring_at(Uint8Array.of(1, 0, 0, 0), given), ['undefined', 'zero']],
  ['memmove(given, bytes, 1)', given => memmove(given, Uint8Array.of(1), 1), ['bytes']],
  ['memmove(bytes, given, 1)', given => memmove(Uint8Array.of(1), given, 1), ['bytes', 'text', 'nul']],
  ['memmove(bytes, bytes, given)', given => memmove(Uint8Array.of(1), Uint8Array.of(1), given), ['zero']],
  ['memset(given, 0, 1)', given => memset(given, 0, 1), ['bytes']],
  ['memset(bytes, given, 1)', given => memset(Uint8Array.of(1), given, 1), ['zero', 'negative', 'large', 'huge']],
  ['memset(bytes, 0, given)', given => memset(Uint8Array.of(1), 0, given), ['zero']],
  ['cast(given, type)', given => cast(given, POINTER(c_int)), ['null', 'bytes', ...TEXTS]],
  ['cast(object, given)', given => cast(new c_int(1), given)],
  ['CFUNCTYPE(given)', given => CFUNCTYPE(given), ['null', 'type']],
  ['CFUNCTYPE(null, given)', given => CFUNCTYPE(null, given), ['type']],
  ['WINFUNCTYPE(given)', given => WINFUNCTYPE(given), ['null', 'type']],
  ['callback type(given)', given => CFUNCTYPE(null)(given), ['function', 'class', 'type']],
]

const JOB = 'data:text/javascript,export default () => 1'
const AWAITED: readonly Row[] = [
  ['readHeader(given)', given => readHeader(given), ['empty']],
  ['_zb_set_parameter(given)', (given, { session }) => session._zb_set_parameter(given), OBJECTS],
  ['_zb_path_unix_to_wine(given)', (given, { session }) => session._zb_path_unix_to_wine(given), ['text', 'empty']],
  ['_zb_path_wine_to_unix(given)', (given, { session }) => session._zb_path_wine_to_unix(given), ['text', 'empty']],
  ['CtypesSession.start(given)', given => CtypesSession.start(given), ['undefined', 'object', 'bare']],
  ['CtypesSession.attach(given)', given => CtypesSession.attach(given)],
  ['setParameter(given)', (given, { session }) => session.setParameter(given), ['object', 'bare']],
  ...(['stdout', 'timeout_call', 'log_level', 'encoding', 'timeout_stop'] as const).map(
    (name): Row => [
      `setParameter({ ${name} })`,
      (given, { session }) => session.setParameter({ [name]: given }),
      name === 'stdout'
        ? ['undefined', 'true']
        : name === 'log_level'
          ? ['undefined', 'zero']
          : name === 'encoding'
            ? ['undefined']
            : ['undefined', 'null', 'zero', 'fraction', 'large', 'huge'],
    ],
  ),
  ['LoadLibrary(given)', (given, { session }) => session.cdll.LoadLibrary(given)],
  ['routine(given, 1)', (given, { session }) => add(session)(given, 1), INTEGERS],
  ['routine(1, 2, given)', (given, { session }) => add(session)(1, 2, given)],
  [
    'routine with no argtypes',
    (given, { session }) => lib(session).func('add')(given, 1),
    ['negative', 'zero', 'null', ...TEXTS, 'bytes', 'bigint', 'true'],
  ],
  ['detail(given)', (given, { session }) => add(session).detail(given, 1), INTEGERS],
  ['with(given)(…)', (given, { session }) => add(session).with(given)(1, 2), ['undefined', ...OBJECTS]],
  [
    'with({ timeout })(…)',
    (given, { session }) => add(session).with({ timeout: given })(1, 2),
    ['undefined', 'infinite', 'large', 'huge', 'fraction', 'zero'],
  ],
  ['with({ signal })(…)', (given, { session }) => add(session).with({ signal: given })(1, 2), ['undefined']],
  ['batch(given)', (given, { session }) => add(session).batch(given)],
  ['batch([given, column])', (given, { session }) => add(session).batch([given, Int32Array.of(1, 2)]), INTEGERS],
  ['batch(columns, given)', (given, { session }) => add(session).batch([[1], [2]], given), ['undefined', ...OBJECTS]],
  ['batch({ rows })', (given, { session }) => add(session).batch([1, 2], { rows: given }), ['zero']],
  ['batch({ signal })', (given, { session }) => add(session).batch([[1], [2]], { signal: given }), ['undefined']],
  [
    'batch({ onProgress })',
    (given, { session }) => add(session).batch([[1], [2]], { onProgress: given }),
    ['undefined', 'function', 'class', 'type'],
  ],
  [
    'batch.stream(given)',
    async (given, { session }) => {
      for await (const _ of add(session).batch.stream(given));
    },
    ['array', 'empty', 'map'],
  ],
  [
    'batch.stream([given])',
    async (given, { session }) => {
      for await (const _ of add(session).batch.stream([given]));
    },
    // what goes over the sets awaits each: a trap of one is the program's own
    HOSTILE,
  ],
  [
    'batch.stream(sets, given)',
    async (given, { session }) => {
      for await (const _ of add(session).batch.stream([[[1], [2]]], given));
    },
    ['undefined', ...OBJECTS],
  ],
  ['runJob(given)', (given, { session }) => session.runJob(given, null)],
  [
    'runJob(module, given)',
    (given, { session }) => session.runJob(JOB, given),
    [
      'undefined',
      'null',
      ...NUMBERS,
      'bigint',
      'true',
      ...TEXTS,
      'object',
      'bare',
      'unknown',
      'array',
      'list',
      'date',
      'bytes',
      'map',
      'round',
      'holes',
    ],
  ],
  ['runJob(module, input, given)', (given, { session }) => session.runJob(JOB, null, given), ['undefined', ...OBJECTS]],
  ['runJob({ signal })', (given, { session }) => session.runJob(JOB, null, { signal: given }), ['undefined']],
  ['memory.alloc(given)', (given, { session }) => session.memory.alloc(given), ['zero', 'type', 'large']],
  ['memory.free(given)', (given, { session }) => session.memory.free(given)],
  ['FormatError(given)', (given, { session }) => session.FormatError(given), ['undefined', ...INTEGERS]],
  ['WinError(5, given)', (given, { session }) => session.WinError(5, given), ['undefined', ...TEXTS]],
  ['set_last_error(given)', (given, { session }) => session.set_last_error(given), INTEGERS],
  ['add_dll_directory(given)', (given, { session }) => session.add_dll_directory(given)],
  ['pathUnixToWine(given)', (given, { session }) => session.pathUnixToWine(given), ['text', 'empty']],
  ['pathWineToUnix(given)', (given, { session }) => session.pathWineToUnix(given), ['text', 'empty']],
  ['find_library(given)', (given, { session }) => session.util.find_library(given), ['text', 'empty']],
  ['SessionPool.start(given)', given => SessionPool.start(given), ['undefined', 'object', 'bare']],
  ['CtypesSession.open(given)', given => CtypesSession.open(given), ['text']],
  ['CtypesSession.open(dll, given)', given => CtypesSession.open(dll('tally'), given), ['undefined', ...OBJECTS]],
  ['SessionPool.open(given)', given => SessionPool.open(given), ['text']],
  ['SessionPool.open(dll, given)', given => SessionPool.open(dll('tally'), given), ['undefined', ...OBJECTS]],
  ['SessionPool.start({ spare })', given => SessionPool.start({ size: 1, spare: given }), ['undefined', 'zero']],
  ['SessionPool.start({ size })', given => SessionPool.start({ size: given }), ['undefined']],
  [
    'SessionPool.start({ maxQueue })',
    given => SessionPool.start({ size: 1, maxQueue: given }),
    ['undefined', 'zero', 'infinite', 'large', 'huge'],
  ],
  [
    'SessionPool.start({ retries })',
    given => SessionPool.start({ size: 1, retries: given }),
    ['undefined', 'zero', 'infinite', 'large', 'huge'],
  ],
  [
    'SessionPool.start({ setup })',
    given => SessionPool.start({ size: 1, setup: given }),
    ['undefined', 'function', 'class', 'type'],
  ],
  ['pool.use(given)', (given, { pool }) => pool.use(given), ['function', 'class', 'type']],
  ['pool.use(work, given)', (given, { pool }) => pool.use(() => 1, given), ['undefined', ...OBJECTS]],
  ['pool.use({ signal })', (given, { pool }) => pool.use(() => 1, { signal: given }), ['undefined']],
  ['pool.run(given)', (given, { pool }) => pool.run(given)],
  ['pool.run(module, input, given)', (given, { pool }) => pool.run(JOB, null, given), ['undefined', ...OBJECTS]],
  ['pool.map(given, …)', (given, { pool }) => pool.map(given, 'int add(int a, int b)', [[1], [2]])],
  ['pool.map(dll, given, …)', (given, { pool }) => pool.map(dll('tally'), given, [[1], [2]])],
  ['pool.map(dll, prototype, given)', (given, { pool }) => pool.map(dll('tally'), 'int add(int a, int b)', given)],
  [
    'pool.map(…, given)',
    (given, { pool }) => pool.map(dll('tally'), 'int add(int a, int b)', [[1], [2]], given),
    ['undefined', ...OBJECTS],
  ],
  [
    'pool.func(…)(given)',
    (given, { pool }) => (pool.func(dll('tally'), 'int add(int a, int b)') as Any)(given, 1),
    INTEGERS,
  ],
  [
    'pool.func(…).with(given)',
    (given, { pool }) => (pool.func(dll('tally'), 'int add(int a, int b)') as Any).with(given)(1, 2),
    ['undefined', ...OBJECTS],
  ],
]

const NOTHING = Symbol('nothing')
const LATE = Symbol('late')

/** What is wrong with the answer, in words; undefined where it is right. */
async function wrong(name: Name, [, act]: Row, things: Things, awaited: boolean): Promise<string | undefined> {
  let thrown: unknown = NOTHING
  let answer: unknown
  try {
    answer = act(GIVEN[name] as never, things)
  } catch (error) {
    if (awaited) return `threw ${String(error)} instead of rejecting`
    thrown = error
  }
  if (awaited) {
    if (!(answer instanceof Promise)) return 'gave no promise'
    const late = new AbortController()
    thrown = await Promise.race([
      answer.then(
        () => NOTHING,
        (error: unknown) => error,
      ),
      sleep(10_000, LATE, { signal: late.signal }),
    ])
    late.abort()
  }
  if (thrown === LATE) return 'never settled'
  if (thrown === NOTHING) return 'was taken'
  if (!(thrown instanceof ZugbrueckeError)) return `gave the raw ${String(thrown)}`
  if (thrown.message.length < 10 || /undefined is|\[object Object\]|NaN elements/.test(thrown.message))
    return `says only "${thrown.message}"`
  return undefined
}

test.before(async context => {
  context.session = await CtypesSession.start()
  context.pool = await SessionPool.start({ size: 1 })
})
test.after(async ({ session, pool }) => {
  await session?.terminate()
  await pool?.close()
})

for (const [rows, awaited] of [
  [SYNC, false],
  [AWAITED, true],
] as const)
  for (const row of rows)
    test(row[0], async things => {
      const takes = new Set<string>(row[2])
      // that it cannot be called shows when it is
      if (takes.has('function')) for (const name of ['revoked function', 'hostile function']) takes.add(name)
      const calls = lib(things.session).func('calls', [], c_int)
      const before = await calls()
      const found: string[] = []
      for (const name of Object.keys(GIVEN) as Name[]) {
        if (takes.has(name)) continue
        const words = await wrong(name, row, things, awaited)
        if (words) found.push(`${name}: ${words}`)
      }
      assert.equal(found, [])
      assert.is(await calls(), before, 'nothing of it was called')
      assert.is(await add(things.session)(3, 4), 7)
    })

/** What takes nothing, or what is given only to be handed on (`encodeError`: whatever was thrown). */
const TAKES_NOTHING = new Set([
  ...[
    'port',
    'terminate',
    '_zb_terminate',
    'get_last_error',
    'get_errno',
    'GetLastError',
    'find_msvcrt',
    'encodeError',
  ],
  ...['load', 'unload', 'stats', 'drain', 'close', 'dispose', 'asTypedArray', 'toString', 'toJSON', 'valueOf'],
])
/** Not for programs, though they are there. */
const INTERNAL = new Set([
  ...['toUnix', 'whenReady', 'coreNow', 'adopt', 'core', 'isCurrent', 'surrender', 'belongsTo', 'fn', 'thunk'],
  ...['served', 'left', 'outlived', 'BitField', 'end', 'admit', 'placed'],
])

/** Functions by their names, also those of its classes. */
function functionsOf(object: object): string[] {
  const names: string[] = []
  for (let at = object; at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at))
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && name !== 'constructor') names.push(name)
  return names
}

test('there is a row for whatever takes something', async ({ session, pool }) => {
  const rows = new Set([...SYNC, ...AWAITED].flatMap(([name]) => name.match(/\w+/g) ?? []))
  const routine = add(session)
  const allocation = await session.memory.alloc(8)
  const objects = [new Point(), new (c_int.array(2))(), pointer(new c_int(1)), CFUNCTYPE(null)(() => {}), allocation]
  const all = [
    ...Object.entries(zugbruecke).flatMap(([name, value]) => (isError(value) ? [] : [name])),
    ...[session, session.memory, session.util, pool, routine, routine.batch, Point, c_int, ...objects].flatMap(
      functionsOf,
    ),
    ...['func', 'declare', 'load', 'unload', 'LoadLibrary'],
  ]
  await allocation.free()
  const left = all.filter(name => !rows.has(name) && !TAKES_NOTHING.has(name) && !INTERNAL.has(name))
  assert.equal([...new Set(left)], [])
})

const isError = (value: unknown) => typeof value === 'function' && value.prototype instanceof Error

test('a name that is not an option, and one that goes on behind a NUL, are named', async ({ session, pool }) => {
  throws(() => session.CDLL('x', { use_lasterror: true } as never), ArgumentError, 'use_lasterror', 'use_last_error')
  throws(() => session.CDLL('x', null as never), ArgumentError, 'null')
  await rejects(add(session).with({ timeuot: 1 })(1, 2), ArgumentError, 'timeuot', 'timeout')
  await rejects(add(session).batch([[1], [2]], { progress: 1 }), ArgumentError, 'progress', 'onProgress')
  await rejects(session.runJob(JOB, null, { singal: 1 } as never), ArgumentError, 'singal', 'signal')
  await rejects(
    pool.use(() => 1, { singal: 1 } as never),
    ArgumentError,
    'singal',
    'signal',
  )
  throws(() => lib(session).func('add\0x'), ArgumentError, 'by its name')
  throws(() => lib(session)['add\0x'], ArgumentError, 'by its name')
})

test('nothing of it ends the program later', async ({ session, pool }) => {
  const stray: unknown[] = []
  const hear = (reason: unknown) => void stray.push(reason)
  process.on('unhandledRejection', hear)
  try {
    for (const act of [
      () => session.CDLL(dll('tally'), null as never).func('add', [c_int, c_int], c_int)(1, 2),
      () => CtypesSession.attach(undefined as never),
      () => pool.map(null as never, 'int add(int, int)', [[1], [2]]),
      () => add(session).with({ signal: 5 })(1, 2),
    ])
      await (async () => act())().then(
        () => assert.unreachable(),
        error => assert.instance(error, ArgumentError),
      )
    await sleep(50)
    assert.equal(stray, [])
  } finally {
    process.off('unhandledRejection', hear)
  }
})

test.run()
