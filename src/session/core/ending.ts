/** The end of a session as one thread sees it: how this thread ends it, and what its requests fail with then. */
import type { Exchange } from '../../channel/exchange.js'
import { EndReason, Life, type SharedState, SharedWord } from '../../channel/shared.js'
import { SessionCrashedError, SessionTerminatedError } from '../../errors.js'
import { exceptionName } from './exceptions.js'
import type { SessionFacts } from './facts.js'

/** An end that this program did not ask for: the request that ran fails with SessionCrashedError. */
interface Crash {
  readonly what: string
  /** In the place of an exit code, which says nothing where this program killed the process. */
  readonly why?: string
}
const CRASHES: { readonly [reason: number]: Crash } = {
  [EndReason.crashed]: { what: 'ended' },
  [EndReason.servicesGone]: {
    what: 'had to be ended',
    why: "Wine's services are gone, without which it waits for ever: somebody has killed wineserver",
  },
  [EndReason.unresponsive]: {
    what: 'had to be ended',
    why: 'it gave no sign of life for as long as "timeout_stop" says: it was stopped (SIGSTOP), or Wine\'s services were, or a DLL has suspended all of its threads',
  },
}

/** Other ends, of which requests are told by SessionTerminatedError. */
const WHY: { readonly [reason: number]: string } = {
  [EndReason.timeout]: 'a call passed its time limit',
  [EndReason.aborted]: 'a call was aborted',
  [EndReason.workerDied]: 'its worker thread ended',
  [EndReason.ownerEnded]: 'the thread that started it ended',
  [EndReason.corrupted]: 'a DLL wrote over the memory through which it is called',
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

export class SessionEnding {
  /** Why the session ended, where this thread ended it. */
  #cause: Error | undefined

  constructor(
    private readonly facts: Pick<SessionFacts, 'id' | 'pid'>,
    private readonly shared: SharedState,
    /** Makes all requests of this thread fail. */
    private readonly fail: () => void,
  ) {}

  /** See `SessionCore.kill`. */
  kill(reason: number, error: Error): void {
    if (this.shared.life() === Life.dead) return
    this.#cause ??= error
    this.end(reason)
    this.fail()
  }

  /**
   * Ends the session for a reason of `EndReason`. A process that has crashed is not killed: its id may be another's
   * now.
   */
  end(reason: number): void {
    const { i32 } = this.shared
    if (this.shared.life() === Life.dead) return
    // before the process is killed: the supervisor, which sees its end, would call it a crash
    Atomics.compareExchange(i32, SharedWord.endReason, EndReason.none, reason)
    if (reason !== EndReason.crashed) killProcess(this.facts.pid)
    this.shared.end(reason)
  }

  /** What a request fails with, now that the session is dead; `exchange` is the one that was running. */
  error(exchange: Exchange | undefined): Error {
    const { id } = this.facts
    const reason = Atomics.load(this.shared.i32, SharedWord.endReason)
    const crash = CRASHES[reason] && this.#crash(CRASHES[reason], exchange)
    if (crash && exchange) {
      this.#cause ??= crash
      return crash
    }
    const cause = this.#cause ?? crash
    const during = cause instanceof SessionCrashedError && cause.routine ? ` (it ended while ${cause.routine} ran)` : ''
    const why = WHY[reason] ? ` (${WHY[reason]})` : ''
    const message = crash
      ? `session ${id} has ended: its Windows process is gone${during}`
      : `session ${id} has been terminated${why}: start a new one`
    return new SessionTerminatedError(message, cause ? { cause } : {})
  }

  #crash({ what, why }: Crash, exchange: Exchange | undefined): SessionCrashedError {
    const exitCode = Atomics.load(this.shared.i32, SharedWord.exitCode)
    const stderr = this.shared.stderrTail()
    const routine = exchange?.label
    const row = exchange?.runningRow?.()
    const code = exitCode >>> 0
    const isException = code >= 0x80000000 && exitCode !== -1
    const how = isException ? `${exceptionName(code)}, 0x${code.toString(16)}` : (why ?? `exit code ${exitCode}`)
    const during = routine ? ` while ${routine}${row === undefined ? '' : ` (row ${row})`} ran` : ''
    const words = stderr ? `; its last words: ${stderr.trim()}` : ''
    return new SessionCrashedError(
      `the Windows process of session ${this.facts.id} ${what}${during} (${how})${words}`,
      { exitCode, stderr, ...(routine ? { routine } : {}), ...(row === undefined ? {} : { row }) },
    )
  }
}
