/**
 * The sessions of a pool: as many as it is to have, started, made ready, lent, and replaced when they die or have done
 * enough. Knows nothing of the work.
 */
import { readFileSync } from 'node:fs'
import { ArgumentError, ConfigError, SessionStartError, SetupError } from '../errors.js'
import { keepNodeAlive } from '../session/life/keep-node-alive.js'
import type { Listeners } from '../session/life/listeners.js'
import { CtypesSession } from '../session/life/session.js'
import type { PoolStats } from './face.js'
import type { ResolvedPoolOptions } from './pool-options.js'

/**
 * Milliseconds before a start is tried again that has failed: twice as many after each failure, up to LONGEST_PAUSE.
 */
const PAUSE = 100
const LONGEST_PAUSE = 10_000
/** After so many failed starts in a row, work that waits fails. */
const TRIES = 5

/** Events of a pool, by `on`. */
export interface PoolEvents {
  /**
   * A session is up and its `setup` is done: it takes work from now on. The first sessions are up before `start` has
   * given a pool to listen to.
   */
  sessionStart: [session: CtypesSession]
  /** A session that was up has ended, with the error of its end. One that is recycled does not count. */
  sessionDeath: [session: CtypesSession, error: Error]
  /** A session has taken the place of one that died or was recycled. */
  replaced: [session: CtypesSession, before: CtypesSession]
}

/** A session that counts as one of the pool's. */
interface Member {
  readonly session: CtypesSession
  /** Failed starts in a row when this session's start began. */
  readonly failures: number
  /** Whether it takes work. */
  isUp: boolean
  /** How often it has been lent. The death of one that never was counts as a failed start. */
  loans: number
}

/**
 * Keeps `size` and `spare` sessions up. At most `size` are lent at a time, so that any that are idle can be the spare
 * ones.
 */
export class PoolSessions {
  readonly #members = new Map<CtypesSession, Member>()
  /** Sessions that are up and not lent; the last one has worked last. */
  readonly #idle: CtypesSession[] = []
  /** Sessions that have died or were recycled, and are not replaced yet. */
  readonly #gone: CtypesSession[] = []
  /** Settles when the sessions that were recycled have ended. */
  #recycled: Promise<unknown> = Promise.resolve()
  /** How many sessions are lent. */
  #busy = 0
  #replaced = 0
  /** Failed starts in a row. */
  #failures = 0
  #lastError: Error | undefined
  /** The timer of the next start, after one has failed. */
  #pause: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    private readonly options: ResolvedPoolOptions,
    /** Called when a session may be free. */
    private readonly onIdle: () => void,
    /** Called when there is no session and none can be started for now. */
    private readonly onDown: (why: Error) => void,
    private readonly listeners: Listeners<PoolEvents>,
  ) {}

  /** Starts all of them; rejects with what the first one that fails has failed with. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#wanted }, () => this.#add()))
  }

  /** Any session that is up, to check arguments and declarations by. */
  get any(): CtypesSession | undefined {
    for (const { session, isUp } of this.#members.values()) if (isUp) return session
    return undefined
  }

  /** All sessions that are up. */
  get all(): readonly CtypesSession[] {
    return [...this.#members.values()].filter(({ isUp }) => isUp).map(({ session }) => session)
  }

  /** Lends a session, if one is idle. To be followed by `giveBack`. */
  lend(): CtypesSession | undefined {
    const session = this.#busy < this.options.size ? this.#idle.pop() : undefined
    if (session) {
      this.#busy++
      const member = this.#members.get(session)
      if (member) member.loans++
    }
    // the work waits for a session: Node is kept alive until the next start is tried
    else if (this.#members.size === 0) this.#pause?.ref()
    return session
  }

  /** To be called when the work that a session was lent to is done. */
  giveBack(session: CtypesSession): void {
    this.#busy--
    const member = this.#members.get(session)
    if (member && session.up) {
      if (this.#isDue(member)) this.#recycle(session)
      else this.#idle.push(session)
    }
    this.onIdle()
  }

  /**
   * Whether a session is to be recycled now. Only one is recycled at a time: others that have done enough go on working
   * until it is replaced.
   */
  #isDue({ loans, session: { pid } }: Member): boolean {
    const { recycleAfterCalls, recycleAfterBytes } = this.options
    if (this.#gone.length > 0 || this.#closed) return false
    return (
      loans >= recycleAfterCalls || (recycleAfterBytes < Number.POSITIVE_INFINITY && resident(pid) >= recycleAfterBytes)
    )
  }

  #recycle(session: CtypesSession): void {
    this.#members.delete(session)
    this.#recycled = Promise.all([this.#recycled, session.terminate()])
    this.#leave(session)
    this.#fill()
  }

  /** Notes that a session is to be replaced. */
  #leave(session: CtypesSession): void {
    this.#gone.push(session)
    this.#replaced++
  }

  /** The sessions now. */
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

  /** Ends all sessions. Settles when they are gone. */
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

  /** Starts a session and runs `setup` on it. Settles when it is up, or rejects when it has failed and is gone. */
  async #add(): Promise<void> {
    const session = new CtypesSession(this.options.config)
    const member: Member = { session, failures: this.#failures, isUp: false, loans: 0 }
    this.#members.set(session, member)
    const ended = new Promise<never>((_, reject) => {
      session.on('end', () => {
        this.#ended(member)
        // later, since an error of `setup` that this end causes tells more
        setImmediate(() => reject(deathOf(session)))
      })
    })
    ended.catch(() => {})
    const release = keepNodeAlive()
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
    const { session, isUp, loans, failures } = member
    // `#add` sees to one that was never up, and one that was recycled is no member any more
    if (!isUp || !this.#members.delete(session) || this.#closed) return
    const at = this.#idle.indexOf(session)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#leave(session)
    const error = deathOf(session)
    this.#lastError = error
    this.listeners.emit('sessionDeath', session, error)
    if (loans > 0) this.#fill()
    else this.#failed(error, failures)
  }

  /**
   * Notes a failed start. `before` is the number of failures when the start began: starts that began together count as
   * one failure.
   */
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

  /** Starts the sessions that are missing: all at once, but one after a pause where the last start has failed. */
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
    // work that waits asks for a session again, which keeps Node alive during the pause
    this.onIdle()
  }

  /** Starts a session in the place of one that is missing. */
  #replace(): void {
    const before = this.#failures
    this.#add().catch(error => this.#failed(error, before))
  }
}

/** Why a session has ended. */
const deathOf = (session: CtypesSession): Error =>
  session.coreNow()?.deathError(undefined) ?? new SessionStartError(`session ${session.id} has ended`)

const PAGE = 4096
/** Resident bytes of a process; 0 if it is gone. */
function resident(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE
  } catch {
    return 0
  }
}

/** Whether another try would fail with the same error. */
const isFinal = (error: Error) =>
  error instanceof SetupError || error instanceof ConfigError || error instanceof ArgumentError
