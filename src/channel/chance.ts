/** Whether something that takes time pays, by whether it did lately. */

/** It does not where it has been in vain so often in a row; then only every so often it is tried again. */
const MISSES = 4
const PROBE = 16

export class Chance {
  #misses = 0

  had(success: boolean): void {
    this.#misses = success ? 0 : this.#misses + 1
  }

  get good(): boolean {
    return this.#misses < MISSES || this.#misses % PROBE === 0
  }
}
