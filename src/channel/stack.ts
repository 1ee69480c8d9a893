/** A stack of JS that overflows inside the channel's own code would leave a message half sent, and the other side waiting for ever. */
import { ZugbrueckeError } from '../errors.js'

/** Nested deeper than this, a call looks whether there is stack for one more level. */
export const DEEP = 64
/** Some 64 KiB: what a call, the callback that it runs, and the next look take. */
const FRAMES = 500

/** Throws ZugbrueckeError when little of this thread's stack is left. */
export function assertStack(depth: number): void {
  try {
    descend(FRAMES, 0, 0, 0, 0, 0, 0, 0)
  } catch {
    throw new ZugbrueckeError(
      `calls and callbacks are nested ${depth} deep, and the stack of this thread ends here: await the calls, or give Node more with --stack-size`,
    )
  }
}

/** The arguments make the frame large. */
function descend(left: number, a: number, b: number, c: number, d: number, e: number, f: number, g: number): number {
  return left === 0 ? a + b + c + d : descend(left - 1, b, c, d, e, f, g, left) + 1
}
