/** A whole header as a vendor ships it, with the real types. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CType } from '../../../src/ctypes/data.js'
import { parseHeader } from '../../../src/ctypes/header/index.js'
import type { Out } from '../../../src/ctypes/inference.js'
import { types } from '../../../src/ctypes/types.js'

const text = readFileSync(new URL('vendor.h', import.meta.url), 'utf8')
const header = parseHeader(text, { arch: 'win64', ns: types('win64') })
const nameOf = (type: CType | Out<CType> | null) =>
  type === null ? 'void' : 'outType' in type ? `out ${type.outType.name}` : type.name
const signature = (name: string) => {
  const routine = header.routines.get(name)
  return routine && `${nameOf(routine.restype)} ${routine.convention} (${routine.argtypes.map(nameOf).join(', ')})`
}

/** Any structure, as this test uses it: its fields have the names of the header. */
type Loose = { [name: string]: unknown }
const make = (name: string, ...values: unknown[]) => {
  const type = header.types[name] as unknown as new (...values: unknown[]) => Loose
  return new type(...values)
}

test('everything is there', () => {
  assert.is(header.routines.size, 79)
  assert.is(header.variables.size, 3)
  assert.is(Object.keys(header.types).length, 51)
  assert.is(Object.keys(header.constants).length, 46)
  assert.not(header.routines.has('nx_version_at_least'), 'an inline function is no export')
})

test('signatures', () => {
  assert.is(signature('nx_initialize'), 'c_int stdcall (c_uint, c_uint)')
  assert.is(signature('nx_library_version'), 'nx_version stdcall ()')
  assert.is(signature('nx_log'), 'c_int cdecl (c_int, c_char_p)')
  assert.is(signature('nx_open'), 'c_int stdcall (c_char_p, c_uint, POINTER(c_void_p))')
  assert.is(signature('nx_channel_set_range'), 'c_int stdcall (c_void_p, c_uint, nx_range)')
  assert.is(signature('nx_event_clear'), 'c_int stdcall (c_void_p)')
  assert.is(signature('nx_transform_points'), 'void stdcall (POINTER(c_double[4]), POINTER(c_double[3]), c_size_t)')
  assert.is(signature('nx_sleep'), 'void stdcall (c_uint)')
  assert.ok(header.routines.get('nx_log')?.variadic)
})

test('constants', () => {
  const { constants } = header
  assert.is(constants.NX_VERSION, 0x4000c)
  assert.is(constants.NX_VERSION_TEXT, '4.12-rc1')
  assert.is(constants.NX_INVALID_HANDLE, 0xffffffffffffffffn)
  assert.is(constants.NX_E_TIMEOUT, 0xa0000002 | 0)
  assert.is(constants.NX_MASK_ALL, 0x80000003)
  assert.is(constants.NX_KIND_COUNT_, 33)
  assert.is(constants.NX_DEFAULT_TIMEOUT, 5000)
})

test('structures are used by their fields', () => {
  const flags = make('nx_flags', { gain: 9, filter: 300, trim: -7 })
  assert.equal([flags.gain, flags.filter, flags.trim, flags.enabled], [9, 300, -7, 0])
  const sample = make('nx_sample', { status: 0x05040003 })
  assert.equal([sample.code, sample.severity, sample.source], [3, 4, 5])
  const channel = make('nx_channel', { name: 'probe', range: { low: -10, high: 10 } })
  channel.next = null
  ;(channel.calibration as Loose).valid = 1
  assert.is(channel.name, 'probe')
  assert.is((channel.range as Loose).high, 10)
  assert.is(channel.next, null)
  const packet = make('nx_packet', { header: { magic: header.constants.NX_MAGIC, sequence: 2n ** 63n } })
  assert.is((packet.header as Loose).sequence, 2n ** 63n)
})

test('callbacks', () => {
  const callback = header.types.nx_progress_callback as unknown as CType & { convention: string; argtypes: CType[] }
  assert.is(callback.convention, 'stdcall')
  assert.equal(callback.argtypes.map(nameOf), ['c_int', 'c_char_p', 'c_void_p'])
  assert.is(header.routines.get('nx_self_test')?.argtypes[1], callback)
})

test('a structure by value in a callback inside itself', () => {
  const { types: made } = parseHeader(
    'typedef struct node { int x; void (*visit)(struct node, struct node *); } node;',
    {
      arch: 'win64',
      ns: types('win64'),
    },
  )
  assert.is(made.node?.size, 16)
})

test.run()
