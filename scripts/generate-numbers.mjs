// What schema/numbers.mjs says, for each language. Called by generate-wire.mjs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { groups, heads } from '../schema/numbers.mjs'
import { writeChanged } from './write-changed.mjs'

const SOURCE = 'Made by `npm run generate` from schema/numbers.mjs.'
/** lowerCamel as UPPER_SNAKE. */
const upper = name => name.replace(/[a-z][A-Z]/g, two => `${two[0]}_${two[1]}`).toUpperCase()
const shown = value => (value < 256 ? String(value) : `0x${value.toString(16)}`)

/** Every group with its numbers as values. */
const known = groups.map(({ numbers, ...group }) => {
  const values = {}
  const of = Object.entries(numbers).map(([name, [value, what = '', others = {}]]) => {
    values[name] = typeof value === 'function' ? value(values) : value
    const upperName = group.prefix ? `${group.prefix}_${upper(name)}` : name
    return { name, value: values[name], what, upperName, c: others.c ?? upperName }
  })
  return { ...group, of, values }
})

/** The constant words in front of a message. */
function head(name) {
  const { values } = known.find(group => group.name === name)
  const { table, fields } = heads[name]
  const [at, size] = table
  const offsets = fields.map(field => (typeof field === 'number' ? field : values[field]) - at)
  const vtable = [4 + 2 * fields.length, size, ...offsets]
  if (vtable.length % 2) vtable.push(0)
  const words = [at]
  for (let i = 0; i < vtable.length; i += 2) words.push(vtable[i] | (vtable[i + 1] << 16))
  if (4 * words.length !== at) throw new Error(`${name}: the table has to follow its vtable`)
  words.push(at - 4)
  if (fields.includes(at + 4)) words.push(values.count - (at + 4))
  return words
}
const allHeads = Object.keys(heads).map(name => ({ name, words: head(name) }))

function typescript() {
  const lines = [`/** ${SOURCE} */`]
  for (const { name, about, of } of known) {
    if (!name) {
      lines.push('', `// ${about}`)
      for (const { name, value, what } of of)
        lines.push(...(what ? [`/** ${what}. */`] : []), `export const ${name} = ${shown(value)}`)
      continue
    }
    lines.push('', `/** ${about} */`, `export const ${name} = {`)
    for (const { name, value, what } of of)
      lines.push(...(what ? [`  /** ${what}. */`] : []), `  ${name}: ${shown(value)},`)
    lines.push('} as const')
  }
  lines.push('', '// What is the same in front of every message of a kind, as words.')
  for (const { name, words } of allHeads)
    lines.push(`export const ${name.toUpperCase()}_HEAD = [${words.map(shown).join(', ')}] as const`)
  return lines
}

function c() {
  const lines = [`/* ${SOURCE} */`, '#ifndef ZB_WIRE_H', '#define ZB_WIRE_H']
  for (const { about, of } of known) {
    lines.push('', `/* ${about} */`)
    for (const { c, value, what } of of)
      lines.push(`#define ${c} ${shown(value)}${value > 0x7fffffff ? 'u' : ''}${what ? ` /* ${what} */` : ''}`)
  }
  lines.push('', '/* What is the same in front of every message of a kind, as 32-bit words. */')
  for (const { name, words } of allHeads)
    lines.push(`#define ${name.toUpperCase()}_HEAD {${words.map(shown).join(', ')}}`)
  return [...lines, '#endif']
}

/** Offsets of what the encoder writes, and a writer of each head; a message begins at 0. */
function assemblyscript() {
  const lines = [`// ${SOURCE}`]
  const written = ['Call', 'Batch', 'Return']
  for (const { name, of } of known)
    if (written.includes(name)) for (const { c, value } of of) lines.push(`export const ${c}: u32 = ${shown(value)}`)
  for (const { name, words } of allHeads) {
    if (!written.includes(name)) continue
    lines.push('', '@inline', `export function headOf${name}(): void {`)
    words.forEach((word, i) => lines.push(`  store<u32>(0, ${shown(word)}, ${4 * i})`))
    lines.push('}')
  }
  return lines
}

/** Python's own names are in UPPER_SNAKE, too; of operations it wants to know which method does each. */
function python() {
  const lines = []
  for (const { about, of, python: wanted } of known) {
    if (!wanted) continue
    lines.push(`# ${about}`)
    for (const { upperName, value } of of)
      if (wanted === true || wanted.includes(upperName)) lines.push(`${upperName} = ${shown(value)}`)
  }
  const operations = known.find(({ name }) => name === 'Op').of
  lines.push('# method of control.py for each operation', 'OPERATIONS = {')
  for (const { name, upperName } of operations) lines.push(`    ${upperName}: "${upper(name).toLowerCase()}",`)
  return [...lines, '}']
}

/** Puts lines in the place of those between the two marks of a file: a module of its own would cost milliseconds at each start. */
function replaceBetween(file, begin, end, lines) {
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} lacks the lines "${begin}" and "${end}"`)
  writeChanged(file, `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n${text.slice(to)}`)
}

export function generateNumbers(root) {
  const write = (path, lines) => writeChanged(join(root, path), `${lines.join('\n')}\n`)
  write('src/codec/generated/numbers.ts', typescript())
  write('wine-host/native/wire.h', c())
  write('assembly/numbers.ts', assemblyscript())
  replaceBetween(join(root, 'wine-host/wire.py'), `# ${SOURCE}`, '# End of what was made.', python())
}
