/** Every name that the package exports stands in a page of the documentation. */
// 64-bit only: no session is started, and both have the same names
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession, SessionPool } from 'zugbruecke'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')
const pages = readdirSync(`${root}docs`)
  .filter(name => name.endsWith('.md'))
  .map(name => read(`docs/${name}`))
  .join('\n')
const words = new Set(pages.match(/[\w$]+/g))
const missing = (names: Iterable<string>) => [...names].filter(name => !words.has(name))

const { exports: entries } = JSON.parse(read('package.json')) as {
  exports: { [entry: string]: { types: string } | string }
}
const declarations = Object.entries(entries).flatMap(([entry, target]) =>
  typeof target === 'object' ? [[entry, target.types.replace('./', '')] as const] : [],
)

/** What a file of declarations exports, with what it takes over from others. */
function exported(file: string): Set<string> {
  const text = read(file).replace(/\/\*[\s\S]*?\*\//g, '')
  const names = new Set<string>()
  for (const [, list] of text.matchAll(/^export (?:type |declare const )?\{([^}]*)\}/gm))
    for (const name of list.split(','))
      if (name.trim())
        names.add((name.split(/ as |:/).at(list.includes(':') ? 0 : -1) ?? '').replace(/^\s*type /, '').trim())
  for (const [, name] of text.matchAll(
    /^export (?:declare )?(?:abstract )?(?:const|let|function|class|interface|type) ([\w$]+)/gm,
  ))
    names.add(name)
  for (const [, from] of text.matchAll(/^export \* from '(.+)\.js'/gm))
    for (const name of exported(new URL(`${from}.d.ts`, `file:///${file}`).pathname.slice(1))) names.add(name)
  return names
}

for (const [entry, file] of declarations)
  test(`${entry}: names of values and of types`, async () => {
    const names = exported(file)
    for (const name of Object.keys(await import(`${root}${file.replace('.d.ts', '.js')}`))) names.add(name)
    assert.ok(names.size > 1, file)
    assert.equal(missing(names), [])
  })

test('members of sessions and pools', () => {
  const text =
    read('dist/src/session/life/session.d.ts') +
    read('dist/src/session/surface/surface.d.ts') +
    read('dist/src/pool/pool.d.ts')
  const members = [CtypesSession.prototype, Object.getPrototypeOf(CtypesSession.prototype), SessionPool.prototype]
    .flatMap(prototype => Object.getOwnPropertyNames(prototype))
    .filter(name => new RegExp(`\\s${name}[(:?<]`).test(text))
  assert.ok(members.includes('terminate') && members.includes('_zb_id'))
  assert.equal(missing(members), [])
})

test.run()
