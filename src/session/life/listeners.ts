import { EventEmitter } from 'node:events'
import { check, FUNCTION } from '../../ctypes/checks.js'
import { describe } from '../../ctypes/data.js'
import { ArgumentError } from '../../errors.js'

/** Who hears of the events `E` of something. */
export class Listeners<E extends { [event in keyof E]: unknown[] }> {
  readonly #events = new EventEmitter()

  constructor(
    /** Whose events they are, for errors. */
    private readonly owner: string,
    private readonly names: readonly (keyof E & string)[],
  ) {}

  /** Throws ArgumentError for another event, and for what is no function. */
  add<K extends keyof E>(event: K, listener: (...args: E[K]) => void): void {
    this.#events.on(this.#checked(event, listener), listener as (...args: unknown[]) => void)
  }

  /** Throws ArgumentError as `add` does. */
  remove<K extends keyof E>(event: K, listener: (...args: E[K]) => void): void {
    this.#events.off(this.#checked(event, listener), listener as (...args: unknown[]) => void)
  }

  /** False if nobody listens. What a listener throws is the program's uncaught error, and must not stop what is under way here. */
  emit<K extends keyof E & string>(event: K, ...args: E[K]): boolean {
    try {
      return this.#events.emit(event, ...args)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
      return true
    }
  }

  #checked(event: unknown, listener: unknown): string {
    const name = this.names.find(name => name === event)
    if (name === undefined)
      throw new ArgumentError(`${this.owner} has the events ${this.names.join(', ')}, not ${describe(event)}`)
    check(`what hears of ${name}`, listener, FUNCTION)
    return name
  }
}
