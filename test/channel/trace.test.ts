/** Messages in words, where somebody wants to see them, against a host that does as it is told. */
import { execFile } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { words } from '../../dist/src/channel/trace.js'
import { encodeControl } from '../../dist/src/codec/control.js'
import { Kind, Op } from '../../dist/src/codec/layout.js'

const test = suite('trace')

async function linesOf(debug: string): Promise<string[]> {
  const program = fileURLToPath(new URL(`traced${extname(import.meta.url)}`, import.meta.url))
  const { stderr } = await promisify(execFile)(process.execPath, [...process.execArgv, program], {
    env: { ...process.env, NODE_DEBUG: debug },
  })
  return [...stderr.matchAll(/^ZUGBRUECKE .* session \d+, (.*)$/gm)].map(([, line]) => line as string)
}

test('each message is a line, in both directions', async () => {
  assert.equal(await linesOf('zugbruecke'), [
    'thread 1 -> ring 1: call of 12 bytes, which cannot be read',
    'thread 1 <- ring 1: reply done, code 0, result 0x7',
    'thread 1 -> ring 2: call of 12 bytes, which cannot be read',
    'thread 1 <- strand 0: callback 16777217 (0x0)',
    'thread 1 -> strand 0: return 0x7',
    'thread 1 <- ring 2: reply done, code 0, result 0x7',
  ])
})

test('nothing is said where nobody asks', async () => {
  assert.equal(await linesOf(''), [])
})

test('a control message says what it asks', () => {
  const message = encodeControl(Op.load, [1, -1], ['Z:\\tmp\\some "name".dll'], 0, 0)
  assert.is(words(Kind.control, message), 'control load 1 -1 "Z:\\\\tmp\\\\some \\"name\\".dll"')
  assert.is(words(Kind.outcome, message.subarray(0, 8)), 'outcome of 8 bytes, which cannot be read')
  assert.is(words(99, message.subarray(0, 8)), 'number 99 of 8 bytes, which cannot be read')
})

test.run()
