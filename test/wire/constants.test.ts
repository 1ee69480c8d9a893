/** schema/numbers.mjs, what was made of it, and what else says the same. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ByteBuffer } from 'flatbuffers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Callback } from '../../src/codec/generated/callback.js'
import { Reply } from '../../src/codec/generated/reply.js'
import * as layout from '../../src/codec/layout.js'

interface Group {
  readonly name?: string
  readonly prefix?: string
  readonly numbers: {
    readonly [name: string]: readonly [number | ((of: Record<string, number>) => number), string?, { c?: string }?]
  }
}
const { groups, heads } = (await import('../../schema/numbers.mjs' as string)) as {
  readonly groups: readonly Group[]
  readonly heads: { readonly [name: string]: { readonly fields: readonly (string | number)[] } }
}
const { generateNumbers } = (await import('../../scripts/generate-numbers.mjs' as string)) as {
  readonly generateNumbers: (root: string) => void
}
const test = suite('the same numbers on all sides')
const root = fileURLToPath(new URL('../../', import.meta.url))
const file = (path: string) => readFileSync(join(root, path), 'utf8')

/** lowerCamel as UPPER_SNAKE. */
const upper = (name: string) => name.replace(/[A-Z]/g, '_$&').toUpperCase()
const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

test('what was made of the table is what it would be made of now', () => {
  const made = ['src/codec/generated/numbers.ts', 'wine-host/native/wire.h', 'assembly/numbers.ts', 'wine-host/wire.py']
  const aside = mkdtempSync(join(tmpdir(), 'zb-numbers-'))
  try {
    for (const path of made) {
      mkdirSync(join(aside, path, '..'), { recursive: true })
      if (path.endsWith('.py')) cpSync(join(root, path), join(aside, path))
    }
    generateNumbers(aside)
    for (const path of made)
      assert.is(readFileSync(join(aside, path), 'utf8'), file(path), `${path} is stale: run "npm run generate"`)
  } finally {
    rmSync(aside, { recursive: true })
  }
})

/** Each number that a C compiler takes from wire.h, by name. */
test('C and Python read the values that TypeScript has', () => {
  const names = [...file('wine-host/native/wire.h').matchAll(/^#define (\w+) [^{\s]/gm)].map(([, name]) => name)
  const source = `#include "wire.h"\n${names.map(name => `@${name} ${name}`).join('\n')}\n`
  const text = execFileSync('cc', ['-E', '-P', '-xc', `-I${join(root, 'wine-host/native')}`, '-'], {
    input: source.replace(/@(\w+)/g, (_, name: string) => `"${name}"`),
    encoding: 'utf8',
  })
  const c = new Map([...text.matchAll(/^"(\w+)" (\w+?)u?$/gm)].map(([, name, value]) => [name, Number(value)]))
  const python: Record<string, number> = JSON.parse(
    execFileSync(
      'python3',
      ['-B', '-c', 'import json, wire; print(json.dumps({k: v for k, v in vars(wire).items() if isinstance(v, int)}))'],
      { cwd: join(root, 'wine-host'), encoding: 'utf8' },
    ),
  )
  assert.is(c.size, names.length)
  let compared = 0
  const compare = (name: string, value: number) => {
    if (name in python) assert.is(python[name], value, `${name} in Python`)
    if (!c.has(name)) return
    assert.is(c.get(name), value, `${name} in C`)
    compared++
  }
  for (const [name, value] of Object.entries(layout)) if (typeof value === 'number') compare(name, value)
  const tables = layout as unknown as { readonly [name: string]: Record<string, number> }
  for (const { name: group, prefix, numbers } of groups)
    for (const [name, [, , others]] of group ? Object.entries(numbers) : [])
      compare(others?.c ?? `${prefix}_${upper(name)}`, tables[group as string][name])
  assert.is(compared, names.length)
})

for (const { name, numbers } of groups) {
  if (!name || ['Call', 'Reply', 'Batch', 'Callback', 'Return', 'Window'].includes(name)) continue
  test(`no two of ${name} are the same`, () => {
    const values = Object.values(numbers).map(([value]) => value)
    assert.is(new Set(values).size, values.length)
  })
}

test('the vtables have the fields in the order of the schema', () => {
  const schema = file('schema/wire.fbs').replace(/\/\/.*/g, '')
  for (const [name, { fields }] of Object.entries(heads)) {
    const [, body] = new RegExp(`table ${name} \\{([^}]*)\\}`).exec(schema) ?? []
    const declared = [...(body ?? '').matchAll(/(\w+): *(\[?)/g)].map(([, field, vector]) =>
      vector ? '' : camel(field),
    )
    assert.equal(
      fields.map(field => (typeof field === 'number' ? '' : field)),
      declared,
      name,
    )
  }
})

test('the host’s heads are those of tables that the stock readers read', () => {
  const message = (head: readonly number[], size: number, put: (view: DataView) => void) => {
    const bytes = new Uint8Array(size)
    bytes.set(new Uint8Array(Uint32Array.from(head).buffer))
    put(new DataView(bytes.buffer))
    return new ByteBuffer(bytes)
  }
  const { REPLY_HEAD, CALLBACK_HEAD } = layout
  const at = layout.Reply
  const reply = Reply.getRootAsReply(
    message(REPLY_HEAD, at.size, view => {
      for (const [i, field] of [at.status, at.code, at.lastError, at.errno].entries())
        view.setUint32(field, i + 1, true)
      view.setBigUint64(at.result, 2n ** 63n, true)
    }),
  )
  assert.equal(
    [reply.status(), reply.code(), reply.lastError(), reply.errno(), reply.result()],
    [1, 2, 3, 4, 2n ** 63n],
  )
  const callback = Callback.getRootAsCallback(
    message(CALLBACK_HEAD, layout.Callback.arguments + 16, view => {
      view.setUint32(layout.Callback.callback, 7, true)
      view.setUint32(layout.Callback.thread, 8, true)
      view.setUint32(layout.Callback.count - 8, 8, true)
      view.setUint32(layout.Callback.count, 2, true)
      view.setBigUint64(layout.Callback.arguments + 8, 9n, true)
    }),
  )
  assert.equal([callback.callback(), callback.thread(), callback.arguments_(1)?.bits()], [7, 8, 9n])
})

test('operations: docs/wire.md and the host’s methods', () => {
  const documented = [...file('docs/wire.md').matchAll(/^\| (\d+) +\| ([A-Z_]{3,}) +\|/gm)].map(
    ([, number, name]) => [name, Number(number)] as const,
  )
  assert.equal(
    documented,
    Object.entries(layout.Op).map(([name, value]) => [upper(name), value]),
  )
  const methods = new Set(
    [...file('wine-host/control.py').matchAll(/^ {4}def (\w+)\(self, numbers, texts\)/gm)].map(([, name]) => name),
  )
  for (const [name] of documented) assert.ok(methods.delete(name.toLowerCase()), `no method does ${name}`)
  assert.is(methods.size, 0, `no operation is ${[...methods]}`)
})

test('words: docs/wire.md has each', () => {
  const documented = [...file('docs/wire.md').matchAll(/^\| (0x[\da-f]+) +\| ([A-Z_]+) +\|/gim)].map(
    ([, offset, name]) => [name, Number(offset)] as const,
  )
  const { ControlWord, ThreadWord } = layout
  assert.equal(
    documented,
    [...Object.entries(ControlWord), ...Object.entries(ThreadWord)].map(([name, value]) => [upper(name), value]),
  )
})

test('the segment’s parts do not overlap', () => {
  const { Window, ControlWord, ThreadWord } = layout
  const { THREAD_OFFSET, THREADS, THREAD_SIZE, STRAND_OFFSET, STRANDS, STRAND_SIZE, STRAND_TO_HOST } = layout
  const { REQUEST_OFFSET, REQUEST_SIZE, REPLY_OFFSET, REPLY_SIZE, SLOTS, ARENA_OFFSET } = layout
  const parts = [
    ['control block', 0, ControlWord.strandSleeps + 4 * STRANDS],
    ['threads', THREAD_OFFSET, THREADS * THREAD_SIZE],
    ['mailboxes', STRAND_OFFSET, STRANDS * STRAND_SIZE],
    ['window', Window.offset, Window.size + 4],
    ['its answer', Window.answer, 8],
    ['what it copies', Window.data, Window.room],
    ['requests', REQUEST_OFFSET, SLOTS * REQUEST_SIZE],
    ['replies', REPLY_OFFSET, THREADS * SLOTS * REPLY_SIZE],
    ['arena', ARENA_OFFSET, 0],
  ] as const
  for (const [i, [name, at, size]] of parts.entries())
    if (i + 1 < parts.length) assert.ok(at + size <= parts[i + 1][1], `${name} reaches into ${parts[i + 1][0]}`)
  assert.ok(ThreadWord.open + 4 <= THREAD_SIZE)
  assert.is(layout.MESSAGE + layout.MAILBOX_ROOM, STRAND_TO_HOST)
  assert.is(2 * STRAND_TO_HOST, STRAND_SIZE)
  assert.is(layout.REPLY_MESSAGE + layout.Reply.size, REPLY_SIZE)
  assert.is(ARENA_OFFSET % 4096, 0)
  // numbers run over, and their slots with them
  assert.is(2 ** 32 % SLOTS, 0)
})

test.run()
