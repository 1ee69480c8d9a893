/** Segments whose threads have been ended: the program's next session gives back what they held, and nothing that anybody uses. */
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { forgetView, Mapping } from '../../dist/src/channel/mapping.js'
import type { Segment } from '../../dist/src/channel/segment.js'
import { SharedState } from '../../dist/src/channel/shared.js'
import { ARENA_OFFSET } from '../../dist/src/codec/layout.js'
import { startThread } from './start-thread.js'
import { endSegment, makeSegment } from './support.js'

const test = suite('segments that nobody is left to close')

/** Mappings and descriptors that sessions make: a thread of Node's brings pipes of its own, which go with it. */
function held(): { mappings: number; files: number; pipes: number } {
  const links = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
  const count = (word: string) => links.filter(link => link.startsWith(word)).length
  return {
    mappings: readFileSync('/proc/self/maps', 'latin1').split('/memfd:zugbruecke').length - 1,
    files: count('/memfd:zugbruecke'),
    pipes: count('pipe:'),
  }
}

interface Owned {
  readonly owner: Worker
  readonly segment: Segment
  readonly state: SharedState
}

/** A thread that has made a segment and waits for its end. */
async function startOwner(): Promise<Owned> {
  const owner = startThread('./owner.ts', import.meta.url, {})
  const [{ segment, memory }] = (await once(owner, 'message')) as [{ segment: Segment; memory: SharedArrayBuffer }]
  return { owner, segment, state: new SharedState(memory) }
}

/** As the start of any session does. */
const startAnother = () => endSegment(makeSegment())

test('all of it is given back', async () => {
  startAnother()
  const before = held()
  const owners = await Promise.all([startOwner(), startOwner(), startOwner()])
  assert.is(held().mappings, before.mappings + 6)
  startAnother()
  assert.is(held().files, before.files + 3, 'nothing is taken from threads that live')
  for (const { owner } of owners) await owner.terminate()
  startAnother()
  assert.equal(held(), before)
})

test('nothing is taken from a thread that still looks at it', async () => {
  const before = held()
  const { owner, segment, state } = await startOwner()
  const view = new Mapping(segment, state, 2)
  view.u8[ARENA_OFFSET] = 7
  await owner.terminate()
  startAnother()
  assert.is(view.u8[ARENA_OFFSET], 7)
  assert.is(held().files, before.files + 1)
  forgetView(segment, state, 2)
  startAnother()
  assert.equal(held(), before)
})

test('a session that has ended, but for a view of a thread that is then ended', async () => {
  const before = held()
  const { owner, segment, state } = await startOwner()
  const viewer = startThread('./viewer.ts', import.meta.url, { segment, memory: state.memory, thread: 3, once: true })
  await once(viewer, 'message')
  owner.postMessage('end')
  await once(owner, 'exit')
  assert.is(held().files, before.files)
  startAnother()
  assert.is(held().mappings, before.mappings + 1, 'the page of one that lives stays')
  await viewer.terminate()
  startAnother()
  assert.equal(held(), before)
})

test('threads that come, start and are ended, while others do the same: no descriptor of anybody’s is closed', async () => {
  const before = held()
  const mine = makeSegment()
  const look = new Mapping(mine.segment, mine.state, 1)
  for (let round = 0; round < 4; round++) {
    const owners = await Promise.all([startOwner(), startOwner()])
    await Promise.all(owners.map(({ owner }) => owner.terminate()))
    look.u8[ARENA_OFFSET + round] = round + 1
  }
  assert.equal([...look.u8.slice(ARENA_OFFSET, ARENA_OFFSET + 4)], [1, 2, 3, 4])
  for (const fd of [mine.segment.file, mine.segment.hostBell, mine.segment.strandsBell])
    assert.match(readlinkSync(`/proc/self/fd/${fd}`), /memfd|pipe/)
  forgetView(mine.segment, mine.state, 1)
  endSegment(mine)
  startAnother()
  assert.equal(held(), before)
})

test.run()
