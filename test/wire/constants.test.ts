import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Shared, SlotState } from '../../src/channel/shared.js'
import * as layout from '../../src/codec/layout.js'
import { CONVENTIONS } from '../../src/ctypes/convention.js'

const { Batch, Call, Callback, Kind, MemoryOp, Op, Refusal, Reply, Return, SlotFlag, Status, TextForm, Texts, Window } =
  layout
const { Word } = layout
const test = suite('the same numbers on all sides')
const root = new URL('../../', import.meta.url)
const file = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** lowerCamel as UPPER_SNAKE. */
const upper = (name: string) => name.replace(/[A-Z]/g, '_$&').toUpperCase()

/** All that wire.h defines: `#define NAME number` and enums. */
function header(): Record<string, number> {
  const text = file('wine-host/native/wire.h').replace(/\/\*[\s\S]*?\*\//g, '')
  const found: Record<string, number> = {}
  for (const [, name, value] of text.matchAll(/^#define (\w+) +(.+?) *$/gm)) {
    const match = /^\(?(0x[\da-fA-F]+|\d+)u?(?: - (\d+))?\)?$/.exec(value)
    assert.ok(match, `${name} is ${value}`)
    found[name] = Number(match?.[1]) - Number(match?.[2] ?? 0)
  }
  for (const [, body] of text.matchAll(/enum \{([^}]*)\}/g)) {
    let next = 0
    for (const item of body.split(',')) {
      const [name, value] = item.split('=').map(part => part.trim())
      if (value !== undefined) next = Number(value)
      found[name] = next++
    }
  }
  return found
}

const script = `import json, wire
print(json.dumps({name: value for name, value in vars(wire).items() if name[0] != "_" and isinstance(value, int)}))`
const python: Record<string, number> = JSON.parse(
  execFileSync('python3', ['-B', '-c', script], { cwd: new URL('wine-host', root), encoding: 'utf8' }),
)
const c = header()

/** [what, name in layout.ts → value] as wire.h names them. */
const plain = Object.fromEntries(Object.entries(layout).filter(([, value]) => typeof value === 'number'))
const prefixed = (prefix: string, table: Record<string, number>, names: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [names[name] ?? `${prefix}_${upper(name)}`, value]))

test('wire.h and layout.ts', () => {
  const wanted: Record<string, unknown> = {
    ...plain,
    ...prefixed('WORD', Word),
    ...prefixed('KIND', Kind),
    ...prefixed('SLOT', SlotFlag),
    ...prefixed('STATUS', Status),
    ...prefixed('REFUSED', Refusal),
    ...prefixed('CALL', Call),
    ...prefixed('REPLY', Reply, { size: 'REPLY_MESSAGE_SIZE' }),
    ...prefixed('BATCH', Batch, { lastErrors: 'BATCH_LAST_ERRORS_AT' }),
    ...prefixed('CALLBACK', Callback, { callback: 'CALLBACK_NUMBER' }),
    ...prefixed('RETURN', Return),
    ...prefixed('TEXTS', Texts),
    ...prefixed('TEXT', TextForm),
    ...prefixed('CONVENTION', CONVENTIONS),
    OP_HELLO: Op.hello,
  }
  for (const [name, value] of Object.entries(wanted)) assert.is(c[name], value, name)
  // what only the host's two sides know
  const theirs = Object.keys(c).filter(name => !(name in wanted))
  assert.ok(
    theirs.every(name => /^(STATE_|ROUTINE_|BATCH_LAST_ERRORS$|CONTROL_FIELD_)/.test(name)),
    `not compared: ${theirs}`,
  )
})

test('wire.py and layout.ts', () => {
  const wanted: Record<string, unknown> = {
    ...plain,
    ...Object.fromEntries(Object.entries(Word).map(([name, value]) => [`W_${upper(name)}`, value / 4])),
    ...prefixed('WINDOW', Window),
    ...prefixed('MEMORY', MemoryOp),
    STATE_LEAVING: c.STATE_LEAVING,
  }
  for (const [name, value] of Object.entries(python)) assert.is(value, wanted[name], name)
})

test('encoder.ts, layout.ts and shared.ts', () => {
  const found = Object.fromEntries(
    [...file('assembly/encoder.ts').matchAll(/^const (\w+): \w+ = (\w+)$/gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]),
  )
  const { SLOTS, REQUEST_OFFSET, REQUEST_SIZE, MESSAGE } = layout
  const ring = { SLOTS, REQUEST_OFFSET, REQUEST_SIZE, MESSAGE, TAIL: 4 * Shared.tail, SLOT_STATE: 4 * Shared.slotState }
  const states = { FREE: SlotState.free, PUBLISHED: SlotState.published }
  for (const [name, value] of Object.entries({ ...ring, ...states })) assert.is(found[name], value, name)
})

test('operations: layout.ts, docs/wire.md and the host’s table', () => {
  const documented = [...file('docs/wire.md').matchAll(/^\| (\d+) +\| ([A-Z_]{3,}) +\|/gm)].map(
    ([, number, name]) => [name, Number(number)] as const,
  )
  assert.equal(
    documented,
    Object.entries(Op).map(([name, value]) => [upper(name), value]),
  )
  const handled = [...file('wine-host/control.py').matchAll(/\b(\d+): self\.\w+/g)].map(([, number]) => Number(number))
  assert.equal(
    handled.sort((a, b) => a - b),
    Object.values(Op).filter(op => handled.includes(op)),
  )
  assert.ok(handled.length >= 18, String(handled))
})

test('the segment’s parts neither overlap nor leave a gap that the page does not name', () => {
  const { CONTROL_SIZE, STRAND_OFFSET, STRANDS, STRAND_SIZE, REQUEST_OFFSET, SLOTS, REQUEST_SIZE } = layout
  const { REPLY_OFFSET, REPLY_SIZE, NODE_OFFSET, ARENA_OFFSET } = layout
  assert.is(CONTROL_SIZE, STRAND_OFFSET)
  assert.ok(STRAND_OFFSET + STRANDS * STRAND_SIZE <= REQUEST_OFFSET)
  assert.ok(STRAND_OFFSET + STRANDS * STRAND_SIZE <= Window.offset)
  assert.ok(Window.offset + Window.requestSize <= Window.answer && Window.answer + 8 <= Window.data)
  assert.is(Window.data + Window.room, REQUEST_OFFSET)
  assert.is(REQUEST_OFFSET + SLOTS * REQUEST_SIZE, REPLY_OFFSET)
  assert.is(REPLY_OFFSET + SLOTS * REPLY_SIZE, NODE_OFFSET)
  assert.is(NODE_OFFSET + 0x10000, ARENA_OFFSET)
})

test.run()
