/** What a session tells of its life, to whom. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, CtypesSession, type Logger, type SessionMessage, useLogger } from 'zugbruecke'
import { throws } from '../support.js'

const test = suite('log of a session')

type Line = readonly [level: string, fields: Readonly<Record<string, unknown>>, message: string]

function logger(lines: Line[]): Logger {
  const write = (level: string) => (fields: Line[1], message: string) => void lines.push([level, fields, message])
  const [debug, info, warn, error, fatal] = ['debug', 'info', 'warn', 'error', 'fatal'].map(write)
  return { debug, info, warn, error, fatal }
}

test('a logger that is handed in is told of start and end, with the id, whatever log_level says', async () => {
  const lines: Line[] = []
  useLogger(logger(lines))
  const session = await CtypesSession.start({ id: 'told' })
  const { pid } = session
  await session.terminate()
  assert.equal(
    lines.map(([level, { session }, message]) => [level, session, message]),
    [
      ['info', 'told', 'starting'],
      ['info', 'told', 'up'],
      ['info', 'told', 'ended'],
    ],
  )
  assert.is(lines[1][1].pid, pid)
  useLogger(null)
  await (await CtypesSession.start()).terminate()
  assert.is(lines.length, 3)
})

test('who listens on the diagnostics channel is told, too, of what fails as well', async () => {
  const told: SessionMessage[] = []
  const listen = (message: unknown) => void told.push(message as SessionMessage)
  subscribe('zugbruecke:session', listen)
  await CtypesSession.start({ id: 'hopeless', python: '/nowhere/python.exe' }).catch(() => {})
  unsubscribe('zugbruecke:session', listen)
  const last = told.at(-1)
  assert.equal([last?.session, last?.level, last?.message], ['hopeless', 'error', 'not started'])
  assert.match(String(last?.error), '/nowhere/python.exe')
})

test('what is no logger is refused, and named by what it lacks', () => {
  throws(() => useLogger({ info() {} } as never), ArgumentError, 'debug')
  throws(() => useLogger(undefined as never), ArgumentError, 'debug')
})

test.run()
