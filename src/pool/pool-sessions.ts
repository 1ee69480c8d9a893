/** The sessions of a pool: as many as it is to have, started, made ready, replaced when they die, and lent. Knows nothing of the work. */
import { ArgumentError, ConfigError, SessionStartError, SetupError } from '../errors.js'
import { holdNode } from '../session/life/hold-node.js'
import { CtypesSession } from '../session/life/session.js'
import type { PoolStats } from './face.js'
import type { ResolvedPoolOptions } from './pool-options.js'

/** Milliseconds before a start is tried again that has failed: twice as long each time, up to the last. */
const PAUSE = 100
const LONGEST_PAUSE = 10_000
/** After so many starts in a row that failed, work that waits is told so. */
const TRIES = 5

interface Member {
  readonly session: CtypesSession
  /** Starts in a row that had failed when this one began. */
  readonly failures: number
  isUp: boolean
  /** It has been lent: what it dies of may be the work. */
  hasWorked: boolean
}

/** Keeps `size` and `spare` sessions up. At most `size` are lent at a time, so whichever is idle is the spare one. */
export class PoolSessions {
  readonly #members = new Map<CtypesSession, Member>()
  /** Up, and not lent; the one that worked last is the last. */
  readonly #idle: CtypesSession[] = []
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
  take(): CtypesSession | undefined {
    const session = this.#busy < this.options.size ? this.#idle.pop() : undefined
    if (session) {
      this.#busy++
      const member = this.#members.get(session)
      if (member) member.hasWorked = true
    }
    // somebody will wait: the program must not come to its end before another has been tried
    else if (this.#members.size === 0) this.#pause?.ref()
    return session
  }

  give(session: CtypesSession): void {
    this.#busy--
    if (session.up) this.#idle.push(session)
    this.onIdle()
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
    await Promise.all([...this.#members.keys()].map(session => session.terminate()))
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
    const member: Member = { session, failures: this.#failures, isUp: false, hasWorked: false }
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
    this.#fill()
    this.onIdle()
  }

  #ended(member: Member): void {
    const { session, isUp, hasWorked, failures } = member
    // one that was never up is told of by its start
    if (!isUp) return
    this.#members.delete(session)
    if (this.#closed) return
    const at = this.#idle.indexOf(session)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#replaced++
    this.#lastError = deathOf(session)
    if (hasWorked) this.#fill()
    else this.#failed(this.#lastError, failures)
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

/** Trying again does not mend what is missing, or wrongly said. */
const isFinal = (error: Error) =>
  error instanceof SetupError || error instanceof ConfigError || error instanceof ArgumentError
