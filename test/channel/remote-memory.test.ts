import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ProcessMemory } from '../../dist/src/channel/remote-memory.js'
import { MemoryAccessError, SessionTerminatedError } from '../../dist/src/errors.js'

const test = suite('remote memory')
let child: ChildProcess
let memory: ProcessMemory
let alive = true

interface Range {
  readonly from: number
  readonly to: number
  readonly rights: string
  readonly what: string
}

function ranges(): Range[] {
  const lines = readFileSync(`/proc/${child.pid}/maps`, 'latin1').trimEnd().split('\n')
  return lines.map(line => {
    const [, from, to, rights, what] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line) ?? assert.unreachable(line) ?? []
    return { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), rights, what }
  })
}
const range = (wanted: (range: Range, next: Range | undefined) => boolean): Range =>
  ranges().find((one, i, all) => wanted(one, all[i + 1])) as Range
/** The lowest part of the stack: a process that sleeps does not use it. */
const stack = () => range(({ what }) => what === '[stack]')

function read(address: number | bigint, size: number): Uint8Array {
  const into = new Uint8Array(size)
  memory.read(BigInt(address), into)
  return into
}

const write = (address: number | bigint, bytes: Uint8Array) => memory.write(BigInt(address), bytes)

function refused(what: () => void, address: number | bigint): void {
  try {
    what()
  } catch (error) {
    assert.instance(error, MemoryAccessError)
    assert.match((error as Error).message, `0x${address.toString(16)} `)
    assert.is((error as MemoryAccessError).address, BigInt(address))
    return
  }
  assert.unreachable('not refused')
}

test.before(async () => {
  child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  for (let i = 0; i < 200 && !ranges().some(({ what }) => /libc/.test(what)); i++) await wait(10)
  await wait(50)
  memory = new ProcessMemory('test', child.pid as number, () => alive)
})
test.after(() => {
  memory.close()
  child.kill('SIGKILL')
})

test('reads what is there', () => {
  const program = range(({ what, rights }) => /\/(sleep|coreutils|busybox)$/.test(what) && rights === 'r--p')
  assert.equal([...read(program.from, 4)], [0x7f, 0x45, 0x4c, 0x46])
})

test('writes, and reads it back', () => {
  const { from } = stack()
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i * 7)
  write(from + 3, bytes)
  assert.equal(read(from + 3, 5000), bytes)
  assert.is(read(from, 3).length, 3)
})

test('nothing to read or write is no access', () => {
  memory.read(0n, new Uint8Array(0))
  memory.write(0n, new Uint8Array(0))
})

for (const address of [0n, 8n, 0xffffn, 2n ** 47n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n + 1n, 2n ** 64n - 1n]) {
  test(`0x${address.toString(16)} is a bad address`, () => {
    refused(() => read(address, 8), address)
    refused(() => write(address, new Uint8Array(8)), address)
  })
}

test('a range that runs out of its mapping is refused, and nothing of it is written', () => {
  const { from, to } = range(({ rights, to }, next) => rights.startsWith('rw') && (!next || next.from > to))
  refused(() => read(to - 4, 8), to - 4)
  const was = read(to - 4, 4)
  refused(() => write(to - 4, new Uint8Array(8).fill(0xcc)), to - 4)
  assert.equal(read(to - 4, 4), was)
  assert.ok(from < to)
})

for (const rights of ['r--p', 'r-xp']) {
  test(`pages that are ${rights} are not written, though the kernel would`, () => {
    const { from } = range(one => one.rights === rights && one.what.startsWith('/'))
    const was = read(from, 16)
    refused(() => write(from, new Uint8Array(16).fill(0xcc)), from)
    assert.equal(read(from, 16), was)
  })
}

test('the error has the address', () => {
  try {
    read(0x1234, 1)
    assert.unreachable()
  } catch (error) {
    assert.is((error as MemoryAccessError).address, 0x1234n)
    assert.is((error as MemoryAccessError).code, 'ERR_ZUGBRUECKE_MEMORY_ACCESS')
  }
})

test('memory of a process that is dead, of a session that has ended, of a closed one', async () => {
  const { from } = stack()
  read(from, 1)
  child.kill('SIGKILL')
  await once(child, 'exit')
  refused(() => read(from, 1), from)
  alive = false
  const ended = (error: unknown) => error instanceof SessionTerminatedError
  assert.throws(() => read(from, 1), ended)
  assert.throws(() => write(from, new Uint8Array(1)), ended)
  alive = true
  memory.close()
  assert.throws(() => read(from, 1), ended)
})

test.run()
