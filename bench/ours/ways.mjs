/** The three ways to call from a thread, for whatever thread it is: a slice of each. Plain JavaScript, for other threads run no TypeScript. */
import { sliceAsync, sliceSync } from './slice.mjs'

export const IN_FLIGHT = 1000

/** @param add the routine `add_int` */
export function ways(add) {
  return {
    // in groups, for the clock takes a tenth of a microsecond itself
    sync: seconds =>
      sliceSync(
        () => {
          for (let i = 0; i < 10; i++) add.sync(i, 4)
        },
        seconds,
        10,
      ),
    awaited: seconds =>
      sliceAsync(
        async () => {
          for (let i = 0; i < 10; i++) await add(i, 4)
        },
        seconds,
        10,
      ),
    together: seconds =>
      sliceAsync(() => Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => add(i, 4))), seconds, IN_FLIGHT),
  }
}
