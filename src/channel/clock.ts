/** A clock of whole microseconds that all threads of the program share, as words of shared memory can hold it. */
const { timeOrigin } = performance

/** The time now: 31 bits, which start again at zero after 36 minutes. */
export const now = (): number => Math.trunc(((timeOrigin + performance.now()) * 1000) % 0x80000000)

/**
 * Microseconds from one time to another that is less than 36 minutes later; 0 where `to` lies a little before `from`,
 * as it may when two threads read the clock.
 */
export function passed(from: number, to: number): number {
  const time = (to - from) & 0x7fffffff
  return time > 0x7fff0000 ? 0 : time
}

/** Microseconds since a time. */
export const age = (since: number): number => passed(since, now())
