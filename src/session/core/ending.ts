/** The end of a session as one thread sees it: how this thread ends it, and what its requests fail with then. */
import type { Exchange } from '../../channel/exchange.js'
import { EndReason, Life, type SharedState, SharedWord } from '../../channel/shared.js'
import { SessionCrashedError, SessionTerminatedError } from '../../errors.js'
import { exceptionName } from './exceptions.js'
import type { SessionFacts } from './facts.js'

/** Ends that this program did not ask for. */
const SUDDEN: { readonly [reason: number]: { readonly what: string; readonly why?: string } } = {
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

  /** Kills the Windows process now: nothing else ends a routine that runs. */
  kill(reason: number, error: Error): void {
    if (this.shared.life() === Life.dead) return
    this.#cause ??= error
    this.end(reason)
    this.fail()
  }

  /** Ends the session. A process that has crashed is not killed: its process id may be another's by now. */
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
    const { i32 } = this.shared
    const reason = Atomics.load(i32, SharedWord.endReason)
    const row = exchange && 'runningRow' in exchange ? (exchange.runningRow as () => number | undefined)() : undefined
    const sudden = SUDDEN[reason]
    if (sudden) {
      const exitCode = Atomics.load(i32, SharedWord.exitCode)
      const stderr = this.shared.stderrTail()
      const label = exchange?.label
      const code = exitCode >>> 0
      const how =
        code >= 0x80000000 && exitCode !== -1
          ? `${exceptionName(code)}, 0x${code.toString(16)}`
          : (sudden.why ?? `exit code ${exitCode}`)
      const during = label ? ` while ${label}${row === undefined ? '' : ` (row ${row})`} ran` : ''
      const crash = new SessionCrashedError(
        `the Windows process of session ${id} ${sudden.what}${during} (${how})${stderr ? `; its last words: ${stderr.trim()}` : ''}`,
        { exitCode, stderr, ...(label ? { routine: label } : {}), ...(row === undefined ? {} : { row }) },
      )
      if (exchange) {
        this.#cause ??= crash
        return crash
      }
      const cause = this.#cause ?? crash
      const what = cause instanceof SessionCrashedError && cause.routine ? ` (it ended while ${cause.routine} ran)` : ''
      return new SessionTerminatedError(`session ${id} has ended: its Windows process is gone${what}`, { cause })
    }
    const why: { readonly [reason: number]: string } = {
      [EndReason.timeout]: 'a call passed its time limit',
      [EndReason.aborted]: 'a call was aborted',
      [EndReason.workerDied]: 'its worker thread ended',
      [EndReason.ownerEnded]: 'the thread that started it ended',
      [EndReason.corrupted]: 'a DLL wrote over the memory through which it is called',
    }
    const cause = this.#cause
    return new SessionTerminatedError(
      `session ${id} has been terminated${why[reason] ? ` (${why[reason]})` : ''}: start a new one`,
      cause ? { cause } : {},
    )
  }
}
