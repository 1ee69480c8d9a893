/** The sessions of a pool: as many as it is to have, started, made ready, lent, and replaced when they die or have done enough. Knows nothing of the work. */
import { readFileSync } from 'node:fs'
import { ArgumentError, ConfigError, SessionStartError, SetupError } from '../errors.js'
import { holdNode } from '../session/life/hold-node.js'
import type { Listeners } from '../session/life/listeners.js'
import { CtypesSession } from '../session/life/session.js'
import type { PoolStats } from './face.js'
import type { ResolvedPoolOptions } from './pool-options.js'

/** Milliseconds before a start is tried again that has failed: twice as long each time, up to the last. */
const PAUSE = 100
const LONGEST_PAUSE = 10_000
/** After so many starts in a row that failed, work that waits is told so. */
const TRIES = 5

/** What a pool says of its sessions without being asked. */
export interface PoolEvents {
  /** A session is up and its `setup` is done: it takes work from now on. Those of `SessionPool.start` are up before anyone can listen. */
  sessionStart: [session: CtypesSession]
  /** A session that was up has ended, and this is what of. One that is recycled does not die. */
  sessionDeath: [session: CtypesSession, error: Error]
  /** A session has taken the place of one that died or was recycled. */
  replaced: [session: CtypesSession, before: CtypesSession]
}

interface Member {
  readonly session: CtypesSession
  /** Starts in a row that had failed when this one began. */
  readonly failures: number
  isUp: boolean
  /** How often it has been lent: what it dies of may be the work. */
  calls: number
}

/** Keeps `size` and `spare` sessions up. At most `size` are lent at a time, so whichever is idle is the spare one. */
export class PoolSessions {
  readonly #members = new Map<CtypesSession, Member>()
  /** Up, and not lent; the one that worked last is the last. */
  readonly #idle: CtypesSession[] = []
  /** Those that died or were recycled, and whose places are still free. */
  readonly #gone: CtypesSession[] = []
  #recycled: Promise<unknown> = Promise.resolve()
  #busy = 0
  #replaced = 0
  /** Starts in a row that failed. A session that dies before it has had any work counts as one. */
  #failures = 0
  #lastError: Error | undefined
  #pause: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    private readonly options: ResolvedPoolOptions,
    /** A session may be had. */
    private readonly onIdle: () => void,
    /** There is none, and for now none is to be had. */
    private readonly onDown: (why: Error) => void,
    private readonly listeners: Listeners<PoolEvents>,
  ) {}

  /** Starts all of them; rejects with what the first one that fails has failed with. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#wanted }, () => this.#add()))
  }

  /** Any that is up, to ask about types. */
  get any(): CtypesSession | undefined {
    for (const { session, isUp } of this.#members.values()) if (isUp) return session
    return undefined
  }

  get all(): readonly CtypesSession[] {
    return [...this.#members.values()].filter(({ isUp }) => isUp).map(({ session }) => session)
  }

  /** Lends one, if one is idle; what is borrowed must be given back. */
  lend(): CtypesSession | undefined {
    const session = this.#busy < this.options.size ? this.#idle.pop() : undefined
    if (session) {
      this.#busy++
      const member = this.#members.get(session)
      if (member) member.calls++
    }
    // somebody will wait: the program must not come to its end before another has been tried
    else if (this.#members.size === 0) this.#pause?.ref()
    return session
  }

  give(session: CtypesSession): void {
    this.#busy--
    const member = this.#members.get(session)
    if (member && session.up) {
      if (this.#isDue(member)) this.#recycle(session)
      else this.#idle.push(session)
    }
    this.onIdle()
  }

  /** One at a time: where many have done enough at once, the others go on until its place is taken. */
  #isDue({ calls, session: { pid } }: Member): boolean {
    const { recycleAfterCalls, recycleAfterBytes } = this.options
    if (this.#gone.length > 0 || this.#closed) return false
    return (
      calls >= recycleAfterCalls || (recycleAfterBytes < Number.POSITIVE_INFINITY && resident(pid) >= recycleAfterBytes)
    )
  }

  #recycle(session: CtypesSession): void {
    this.#members.delete(session)
    this.#recycled = Promise.all([this.#recycled, session.terminate()])
    this.#leave(session)
    this.#fill()
  }

  #leave(session: CtypesSession): void {
    this.#gone.push(session)
    this.#replaced++
  }

  stats(): Omit<PoolStats, 'state' | 'queued' | 'completed' | 'failed'> {
    const { size } = this.options
    const idle = Math.min(this.#idle.length, size - this.#busy)
    const up = idle + this.#busy
    return {
      health: up >= size ? 'healthy' : up > 0 ? 'degraded' : 'down',
      size,
      idle,
      busy: this.#busy,
      starting: this.#starting,
      spare: this.#idle.length - idle,
      replaced: this.#replaced,
      failedStarts: this.#failures,
      lastError: this.#lastError,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#pause)
    this.#idle.length = 0
    await Promise.all([this.#recycled, ...[...this.#members.keys()].map(session => session.terminate())])
  }

  get #wanted(): number {
    return this.options.size + this.options.spare
  }
  get #starting(): number {
    let starting = 0
    for (const { isUp } of this.#members.values()) if (!isUp) starting++
    return starting
  }

  /** Starts one and makes it ready. Settles when it is up, or has failed and is gone. */
  async #add(): Promise<void> {
    const session = new CtypesSession(this.options.config)
    const member: Member = { session, failures: this.#failures, isUp: false, calls: 0 }
    this.#members.set(session, member)
    const ended = new Promise<never>((_, reject) => {
      session.on('end', () => {
        this.#ended(member)
        // what fails in its setup by that says more of it
        setImmediate(() => reject(deathOf(session)))
      })
    })
    ended.catch(() => {})
    const release = holdNode()
    try {
      await session.ready
      await Promise.race([this.options.setup?.(session), ended])
      session.coreNow()?.assertAlive()
    } catch (error) {
      await session.terminate()
      this.#members.delete(session)
      throw error
    } finally {
      release()
    }
    member.isUp = true
    this.#failures = 0
    this.#idle.unshift(session)
    this.listeners.emit('sessionStart', session)
    const before = this.#gone.shift()
    if (before) this.listeners.emit('replaced', session, before)
    this.#fill()
    this.onIdle()
  }

  #ended(member: Member): void {
    const { session, isUp, calls, failures } = member
    // one that was never up is told of by its start, and one that was recycled is no member any more
    if (!isUp || !this.#members.delete(session) || this.#closed) return
    const at = this.#idle.indexOf(session)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#leave(session)
    const error = deathOf(session)
    this.#lastError = error
    this.listeners.emit('sessionDeath', session, error)
    if (calls > 0) this.#fill()
    else this.#failed(error, failures)
  }

  /** `before` is the number of failures before: those that began together fail as one. */
  #failed(error: unknown, before: number): void {
    if (this.#closed) return
    const why = error instanceof Error ? error : new SessionStartError(String(error))
    this.#failures = Math.max(this.#failures, before + 1)
    this.#lastError = why
    if (this.#members.size === 0) {
      if (isFinal(why)) this.onDown(why)
      else if (this.#failures >= TRIES)
        this.onDown(
          new SessionStartError(
            `no session of the pool could be started, ${this.#failures} times in a row; the last time: ${why.message}`,
            { cause: why },
          ),
        )
    }
    this.#fill()
  }

  /** Starts what is missing: all at once, but after a failure one by one and not at once. */
  #fill(): void {
    if (this.#closed) return
    const missing = this.#wanted - this.#members.size
    if (missing <= 0) return
    if (this.#failures === 0) {
      for (let i = 0; i < missing; i++) this.#replace()
      return
    }
    if (this.#pause || this.#starting > 0) return
    const pause = Math.min(PAUSE * 2 ** (this.#failures - 1), LONGEST_PAUSE)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#replace()
    }, pause)
    this.#pause.unref()
    // whoever waits says so again
    this.onIdle()
  }

  #replace(): void {
    const before = this.#failures
    this.#add().catch(error => this.#failed(error, before))
  }
}

const deathOf = (session: CtypesSession): Error =>
  session.coreNow()?.deathError(undefined) ?? new SessionStartError(`session ${session.id} has ended`)

/** Bytes that a process has in memory; 0 for one that is gone. */
function resident(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE
  } catch {
    return 0
  }
}
const PAGE = 4096

/** Trying again does not mend what is missing, or wrongly said. */
const isFinal = (error: Error) =>
  error instanceof SetupError || error instanceof ConfigError || error instanceof ArgumentError
