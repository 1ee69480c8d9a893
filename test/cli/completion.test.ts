import { readFileSync } from 'node:fs'
import { start } from 'node:repl'
import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CtypesSession } from 'zugbruecke'
import { completeNames } from '../../src/cli/completion.js'

const test = suite('completion of the prompt')

const server = start({ prompt: '', input: new PassThrough(), output: new PassThrough(), terminal: false })
const library = { _name: 'demo.dll', func: () => {}, load: () => {} }
class Session {
  _zb_id = ''
  id = ''
  coreNow() {}
  whenReady() {}
  terminate() {}
}
Object.assign(server.context, { cdll: { demo: library }, session: new Session() })
completeNames(server, dll => {
  if (dll !== 'demo.dll') throw new Error(`there is no ${dll}`)
  return ['add', 'addAll', 'sub', '?mangled@@YAXXZ']
})
test.after(() => server.close())

const complete = (line: string) =>
  new Promise<readonly [readonly string[], string]>((resolve, reject) =>
    server.completer(line, (error, result) => (error || !result ? reject(error) : resolve(result))),
  )

test('the routines of a DLL beside what a library has', async () => {
  const [names, completed] = await complete('await cdll.demo.')
  for (const name of ['cdll.demo.add', 'cdll.demo.sub', 'cdll.demo.func']) assert.ok(names.includes(name), name)
  assert.is(completed, 'cdll.demo.')
  const [some] = await complete('cdll.demo.ad')
  assert.equal([...some].sort(), ['cdll.demo.add', 'cdll.demo.addAll'])
})

test('names that only the library itself uses are not shown', async () => {
  const [names] = await complete('session.')
  assert.ok(names.includes('session.terminate') && names.includes('session.id'))
  for (const name of ['session._zb_id', 'session.coreNow', 'session.whenReady'])
    assert.not.ok(names.includes(name), name)
})

test('of a real session, its memory and a library only what is declared to users is shown', async () => {
  const real = await CtypesSession.start()
  const { msvcrt } = real.cdll
  Object.assign(server.context, { real, msvcrt, abs: msvcrt.abs })
  const declared = ['life/session', 'surface/surface', 'surface/memory', 'surface/library', 'surface/routine']
    .map(name => readFileSync(new URL(`../../dist/src/session/${name}.d.ts`, import.meta.url), 'utf8'))
    .join('')
  // and what all objects and functions of JavaScript have
  const common = new Set([
    ...Object.getOwnPropertyNames(Object.prototype),
    ...Object.getOwnPropertyNames(Function.prototype),
  ])
  for (const path of ['real.', 'real.memory.', 'msvcrt.', 'abs.']) {
    const [names] = await complete(path)
    const members = names.map(name => name.slice(path.length)).filter(name => name && !common.has(name))
    assert.ok(members.length > 3, path)
    for (const name of members) assert.match(declared, new RegExp(`\\s${name}[(:?<]`), `${path}${name}`)
  }
  await real.terminate()
})

test('what is no library has what it has', async () => {
  const [names] = await complete('nothing.there.')
  assert.equal(names.filter(Boolean), [])
})

test.run()
