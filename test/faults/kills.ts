/** Sessions that are killed, whose program is killed, or that are terminated, at random moments; and whatever of them is still there afterwards. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Arch, CtypesSession } from 'zugbruecke'
import { dll } from '../dlls/build.js'
import { type Holdings, holdings, inTurns, leftSince } from './matrix.js'
import { MOMENTS, reach } from './moments.mjs'
import { Tally } from './outcome.js'
import { Random } from './random.js'

/** Who goes: the session's Windows process, the program that has it, or the session by `terminate`. */
export const WHO = ['its Windows process is killed', 'its program is killed', 'it is terminated'] as const
export type Who = (typeof WHO)[number]

/** What there may be of a session that no process of ours holds. */
export interface Left extends Holdings {
  /** Processes anywhere, by what they were started with. */
  readonly strays: number
  /** Of the folders for temporary files and shared memory. */
  readonly files: number
}

/** In the environment of all that a round's session starts. */
const TAG = 'ZB_KILLED'
/** The longest that a kill waits when its moment has come, in milliseconds: a start takes some hundreds. */
const LATEST = { start: 900, end: 30, other: 60 }
/** How long what was left by a program that was killed may take to go, in milliseconds. */
const PATIENCE = 10_000
const AT_ONCE = 3

/** Processes whose environment has a tag that begins so; Wine's own serve all sessions, whichever began them. */
function tagged(tag: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return (
          `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${TAG}=${tag}`) &&
          !/wineserver|services\.exe|winedevice|plugplay|svchost|rpcss|explorer\.exe/.test(
            readFileSync(`/proc/${pid}/cmdline`, 'latin1'),
          )
        )
      } catch {
        return false
      }
    })
    .map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
}

interface Round {
  readonly who: Who
  readonly arch: Arch
  readonly seed: number
}

const dllsOf = (arch: Arch) => ({ faults: dll('faults', arch), callbacks: dll('callbacks', arch) })
const latest = (moment: string) => LATEST[moment as keyof typeof LATEST] ?? LATEST.other

async function round({ who, arch, seed }: Round, tag: string, tally: Tally): Promise<void> {
  const random = new Random(seed)
  const moment = MOMENTS[(seed + random.below(2)) % MOMENTS.length]
  const wait = random.below(latest(moment))
  const own = `${tag}${seed}.`
  const config = {
    arch,
    sandbox: false,
    stdout: false,
    stderr: false,
    timeout_stop: 2,
    env: { [TAG]: own },
  } as const
  if (who === 'its program is killed') {
    const program = fork(
      fileURLToPath(new URL('killed-program.mjs', import.meta.url)),
      [JSON.stringify({ moment, config, dlls: dllsOf(arch) })],
      { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [], env: { ...process.env, [TAG]: own } },
    )
    const ended = once(program, 'exit')
    const there = (async () => {
      await once(program, 'message')
      if (moment !== 'start' && moment !== 'end') await once(program, 'message')
      await sleep(wait)
    })()
    await Promise.race([there, ended])
    program.kill('SIGKILL')
    await ended
    tally.add('value')
    return
  }
  const what = `${who}: ${moment}, seed ${seed}`
  const settling: Promise<void>[] = []
  const settle = (promise: PromiseLike<unknown>, expected?: unknown) =>
    void settling.push(tally.settle(what, promise, expected === undefined ? undefined : value => value === expected))
  const reached = reach(moment, config, dllsOf(arch), settle)
  if (moment !== 'start' && moment !== 'end') await reached
  await sleep(wait)
  // otherwise nobody would be missed
  if (moment === 'program' && tagged(own).length < 2) tally.add('wrong', `${what}: its program is not found`)
  const session = await (moment === 'end' && who === 'its Windows process is killed'
    ? Promise.race([reached, sleep(latest('start'), undefined)])
    : reached)
  if (who === 'it is terminated') settle((await reached).terminate())
  else for (const pid of session?.pid === undefined ? tagged(own) : [session.pid]) kill(pid)
  settle((await reached).terminate())
  for (let settled = 0; settled < settling.length; ) {
    settled = settling.length
    await Promise.all(settling)
  }
}

export interface Killed {
  readonly who: Who
  readonly sessions: number
  readonly tally: Tally
  readonly left: Left
}

/** So many sessions, of both kinds of seeds that follow `seed`, for each who goes. */
export async function killed(who: Who, arches: readonly Arch[], count: number, seed: number): Promise<Killed> {
  const folder = mkdtempSync(join(tmpdir(), 'zb-kills-'))
  const before = process.env.TMPDIR
  // what is made in the folder for temporary files is then all ours
  process.env.TMPDIR = folder
  const tag = `${process.pid}.${WHO.indexOf(who)}.${seed}.`
  const keepers = []
  try {
    // services stay, and what a first session makes is there
    for (const arch of arches) keepers.push(await CtypesSession.start({ arch, sandbox: false }))
    const shared = new Set(readdirSync('/dev/shm'))
    const had = holdings()
    const tally = new Tally()
    const rounds = Array.from(
      { length: count },
      (_, i): Round => ({ who, arch: arches[i % arches.length], seed: seed + i }),
    )
    await inTurns(rounds, AT_ONCE, each => round(each, tag, tally))
    for (const end = Date.now() + PATIENCE; tagged(tag).length > 0 && Date.now() < end; ) await sleep(50)
    const left = await leftSince(had)
    const files =
      readdirSync(folder).length +
      readdirSync('/dev/shm').filter(name => name.startsWith('zugbruecke-') && !shared.has(name)).length
    return { who, sessions: count, tally, left: { ...left, strays: tagged(tag).length, files } }
  } finally {
    for (const keeper of keepers) await keeper.terminate()
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(folder, { recursive: true, force: true })
  }
}
