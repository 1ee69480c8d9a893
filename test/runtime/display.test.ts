import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { SetupError } from '../../src/errors.js'
import { chooseDriver } from '../../src/runtime/display.js'
import { wineEnvironment } from '../../src/runtime/environment.js'
import { mend, prefixFolder } from '../../src/runtime/locate.js'

const test = suite<{ prefix: string; registry: string }>('what windows are drawn on')
const HEAD =
  'WINE REGISTRY Version 2\n;; All keys relative to \\\\User\\\\S-1-5-21\n\n[Software\\\\Wine] 1700000000\n#time=1da\n'
const NAMED = '\n[Software\\\\Wine\\\\Drivers] 1700000000\n#time=1da\n"Audio"=""\n"Graphics"="x11"\n'

test.before.each(context => {
  context.prefix = mkdtempSync(join(tmpdir(), 'zugbruecke-display-'))
  context.registry = join(context.prefix, 'user.reg')
})
test.after.each(({ prefix }) => rmSync(prefix, { recursive: true }))

const text = (file: string) => readFileSync(file, 'latin1')

test('a prefix gets the driver that needs no display, once', ({ prefix, registry }) => {
  writeFileSync(registry, HEAD)
  chooseDriver(prefix, 'none')
  assert.is(text(registry), `${HEAD}\n[Software\\\\Wine\\\\Drivers]\n"Graphics"="null"\n`)
  const once = text(registry)
  chooseDriver(prefix, 'none')
  assert.is(text(registry), once)
})

test('a driver that somebody has chosen stays, and one of another section is none', ({ prefix, registry }) => {
  writeFileSync(registry, HEAD + NAMED)
  chooseDriver(prefix, 'none')
  assert.is(text(registry), HEAD + NAMED)
  const other = `${HEAD}\n[Software\\\\Wine\\\\Drivers] 1\n"Audio"=""\n\n[Software\\\\Other] 1\n"Graphics"="x11"\n`
  writeFileSync(registry, other)
  chooseDriver(prefix, 'none')
  assert.match(text(registry), '"Graphics"="null"')
})

test('a prefix without a display is not one with a display', ({ prefix, registry }) => {
  chooseDriver(prefix, 'inherit') // not made yet
  writeFileSync(registry, HEAD)
  chooseDriver(prefix, 'inherit')
  assert.is(text(registry), HEAD)
  chooseDriver(prefix, 'none')
  assert.throws(
    () => chooseDriver(prefix, 'inherit'),
    (error: unknown) => error instanceof SetupError && error.message.includes(prefix),
  )
})

test('the display goes along where it is asked for, and then has a prefix apart', () => {
  const installation = { wine: '/w', wineserver: '/s', prefix: '/p' }
  const config = { winedebug: '-all', env: {} }
  const before = process.env.DISPLAY
  process.env.DISPLAY = ':7'
  try {
    assert.is(wineEnvironment(config, installation).DISPLAY, '')
    assert.is(wineEnvironment(config, { ...installation, display: 'none' }).DISPLAY, '')
    assert.is(wineEnvironment(config, { ...installation, display: 'inherit' }).DISPLAY, ':7')
  } finally {
    if (before === undefined) delete process.env.DISPLAY
    else process.env.DISPLAY = before
  }
  const wanted = { arch: 'win64', wine: null, prefix: null, pythonversion: null } as const
  assert.is.not(prefixFolder({ ...wanted, display: 'inherit' }), prefixFolder({ ...wanted, display: 'none' }))
  assert.is(prefixFolder({ ...wanted, prefix: '/mine', display: 'inherit' }), '/mine')
  assert.is(mend({ ...wanted, display: 'inherit' }), 'Run: ZUGBRUECKE_DISPLAY=inherit npx zugbruecke setup')
})

test.run()
