import { EventEmitter } from 'node:events'
import { check, FUNCTION } from '../../ctypes/checks.js'
import { describe } from '../../ctypes/data.js'
import { ArgumentError } from '../../errors.js'

/** Listeners to the events `E` of a session or a pool. */
export class Listeners<E extends { [event in keyof E]: unknown[] }> {
  readonly #events = new EventEmitter()

  constructor(
    /** What has these events, for errors. */
    private readonly owner: string,
    private readonly names: readonly (keyof E & string)[],
  ) {}

  /** Throws ArgumentError for an event that is not among `names`, and for a listener that is no function. */
  add<K extends keyof E>(event: K, listener: (...args: E[K]) => void): void {
    this.#events.on(this.#checked(event, listener), listener as (...args: unknown[]) => void)
  }

  /** Throws ArgumentError as `add` does. */
  remove<K extends keyof E>(event: K, listener: (...args: E[K]) => void): void {
    this.#events.off(this.#checked(event, listener), listener as (...args: unknown[]) => void)
  }

  /**
   * Calls the listeners; false if there are none. What a listener throws becomes an uncaught error of the program, and
   * does not stop what is under way here.
   */
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
