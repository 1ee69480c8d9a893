const { timeOrigin } = performance

/** Microseconds of a clock that all threads share, without the high bits. */
export const now = (): number => Math.trunc(((timeOrigin + performance.now()) * 1000) % 0x80000000)

/** Microseconds from one time to another; 0 where `to` lies a little before `from`, as clocks of two threads may. */
export function passed(from: number, to: number): number {
  const time = (to - from) & 0x7fffffff
  return time > 0x7fff0000 ? 0 : time
}

export const age = (since: number): number => passed(since, now())
