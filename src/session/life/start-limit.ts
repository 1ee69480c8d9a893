/** The time that the start of a session may take, whatever it waits for. */
import { SessionStartError } from '../../errors.js'
import { isStopped, serverProcess } from '../../runtime/wine-processes.js'

/** The longest timer in milliseconds; a longer limit counts as none. */
const MAX_TIMER = 0x7fffffff

export class StartLimit {
  /** The prefix whose services the start may be waiting for. */
  prefix: string | undefined
  /** Rejects when the time has passed. */
  readonly passed: Promise<never>
  readonly #timer: NodeJS.Timeout | undefined

  constructor(id: string, milliseconds: number) {
    let fail: (error: Error) => void = () => {}
    this.passed = new Promise((_, reject) => {
      fail = reject
    })
    // where nobody awaits it, it must not end the program as an unhandled rejection
    this.passed.catch(() => {})
    const late = () =>
      fail(
        new SessionStartError(
          `session ${id} did not start within ${milliseconds / 1000} s: ${this.#advice()}, or see what "npx zugbruecke doctor" says`,
        ),
      )
    if (milliseconds < MAX_TIMER) this.#timer = setTimeout(late, milliseconds)
  }

  /** The start is over. */
  end(): void {
    clearTimeout(this.#timer)
  }

  #advice(): string {
    const server = this.prefix ? serverProcess(this.prefix) : 0
    if (server > 0 && isStopped(server))
      return `Wine's services are stopped (wineserver, process ${server}): continue them (kill -CONT ${server}), or end them (npx zugbruecke stop)`
    return 'raise the parameter "timeout_start"'
  }
}
