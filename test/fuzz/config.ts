/** Parameters: files of them, variables of the environment, what a constructor is given, and changes at run time. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ConfigError } from 'zugbruecke'
import { checkParameterChange, parameterNames, resolveConfig } from '../../dist/src/runtime/config.js'
import { changeable, readValue } from '../../dist/src/runtime/parameters.js'
import { borders, type Fuzzer, type Outcome, refusedOr } from './fuzzer.js'

const folder = mkdtempSync(join(tmpdir(), 'zb-fuzz-config-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
const path = join(folder, 'parameters.json')

/** Nothing but what the test says is to be seen. */
function alone<T>(variables: Readonly<Record<string, string>>, work: () => T): T {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith('ZUGBRUECKE')) delete process.env[name]
  Object.assign(process.env, { HOME: folder }, variables)
  try {
    return work()
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<string>(...parameterNames) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'ARCH', '') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)
const good: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  ...['win64', 'win32', 'utf-8', 'latin1', 'none', 'inherit', '3.11.0', '/usr/bin/wine', 'id-1', '-all', folder],
  ...[true, false, null, 1 << 20, 256 << 20, 0, 30, 50, 0.5, [], ['/tmp'], {}, { A: 'b', PATH: '' }],
)
const json: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: good },
  { weight: 1, arbitrary: borders(1 << 20, 4095 << 20, 2_147_483, 50) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
)
/** What JSON has no word for, and a program gives all the same. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: json },
  { weight: 1, arbitrary: fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }) },
  { weight: 1, arbitrary: fc.constantFrom(1n, { A: 1n }, Symbol('s'), () => 1, round(), deep(3000), deep(30_000)) },
)

function deep(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}
function round(): unknown {
  const value: { self?: unknown } = {}
  value.self = value
  return value
}

const own = ({ sources: _, id: __, ...config }: ReturnType<typeof resolveConfig>) => config
const outcomeOf = (answer: unknown): Outcome => {
  if (!(answer instanceof Error)) return 'taken'
  assert.instance(answer, ConfigError)
  assert.ok(answer.message.length > 20 && answer.message.length < 2000, answer.message)
  return 'refused'
}

/** As a parameter keeps it: an object of another realm, or without a prototype, is copied. */
const plain = (value: unknown): unknown => (typeof value === 'object' ? structuredClone(value) : value)

/** The same values from a file and from the constructor are the same parameters, or the same error but for the place. */
const values: Fuzzer<Readonly<Record<string, unknown>>> = {
  name: 'parameters of a constructor, a file and a change',
  inputs: fc.array(fc.tuple(name, odd), { maxLength: 4 }).map(entries => Object.fromEntries(entries)),
  act: given =>
    alone({}, () => {
      const made = refusedOr(() => resolveConfig(given as never))
      const outcome = outcomeOf(made)
      const changed = refusedOr(() => checkParameterChange(given as never))
      outcomeOf(changed)
      if (outcome === 'taken') {
        const config = made as unknown as Readonly<Record<string, unknown>>
        for (const [key, value] of Object.entries(given))
          if (value !== undefined && key !== 'cwd') assert.ok(isDeepStrictEqual(plain(config[key]), plain(value)), key)
        const settled = Object.entries(given).filter(([, value]) => value !== undefined)
        assert.is(
          changed instanceof Error,
          settled.some(([key]) => !changeable.includes(key)),
        )
      }
      let text: string
      try {
        text = JSON.stringify(given)
        if (!isDeepStrictEqual(JSON.parse(text), given)) return outcome
      } catch {
        return outcome
      }
      writeFileSync(path, text)
      const read = alone({ ZUGBRUECKE: path }, () => refusedOr(() => resolveConfig()))
      assert.is(outcomeOf(read), outcome)
      if (!(read instanceof Error)) assert.equal(own(read), own(made as typeof read))
      else assert.ok(read.message.includes(path), read.message)
      return outcome
    }),
  few: 600,
  kept: [],
}

const texts: Fuzzer<string> = {
  name: 'texts of a configuration file',
  inputs: fc
    .tuple(
      fc.dictionary(name, json, { maxKeys: 3 }),
      fc.array(fc.tuple(fc.nat(200), fc.nat(3), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 3 }),
    )
    .map(([given, edits]) => {
      let text = JSON.stringify(given).replace('0.5', '['.repeat(100_000))
      for (const [at, length, more] of edits) text = text.slice(0, at) + more + text.slice(at + length)
      return text
    }),
  act: text => {
    writeFileSync(path, text)
    const read = alone({ ZUGBRUECKE: path }, () => refusedOr(() => resolveConfig()))
    if (read instanceof Error) assert.ok(read.message.includes(path), read.message)
    return outcomeOf(read)
  },
  few: 600,
  kept: [],
}

const words = fc.oneof(
  { weight: 4, arbitrary: good.map(value => (typeof value === 'string' ? value : JSON.stringify(value))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('yes', 'NO', 'on', 'Off', '', ' ', '1e3', '0x10', 'Infinity', 'NaN', '-1', '1 MiB'),
  },
  { weight: 1, arbitrary: borders(1 << 20, 2_147_483, 50).map(String) },
  // the system takes no NUL in a variable
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map(text => text.replaceAll('\0', '')) },
)

/** A variable is what its text says, given to the constructor. */
const variables: Fuzzer<readonly [string, string]> = {
  name: 'variables of the environment',
  inputs: fc.tuple(fc.constantFrom<string>(...parameterNames), words),
  act: ([parameter, text]) => {
    const read = alone({ [`ZUGBRUECKE_${parameter.toUpperCase()}`]: text }, () => refusedOr(() => resolveConfig()))
    const made = alone({}, () => refusedOr(() => resolveConfig({ [parameter]: readValue(parameter as 'arch', text) })))
    const outcome = outcomeOf(read)
    assert.is(outcomeOf(made), outcome)
    if (!(read instanceof Error)) assert.equal(own(read), own(made as typeof read))
    else assert.ok(read.message.includes(`ZUGBRUECKE_${parameter.toUpperCase()}`), read.message)
    return outcome
  },
  few: 600,
  kept: [],
}

export const CONFIG = [texts, variables, values] as const
