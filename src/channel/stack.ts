/**
 * Keeps the stack from overflowing inside the channel's own code, which would leave a message half sent and the host
 * waiting for ever.
 */
import { ZugbrueckeError } from '../errors.js'

/** Where calls and callbacks are nested deeper than this, each call checks that there is stack for another level. */
export const DEEP = 64
/** Frames of `descend`, together some 64 KiB: as much as a call, a callback inside it, and the next check take. */
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

/** Recurses `left` times. The many arguments make each frame large. */
function descend(left: number, a: number, b: number, c: number, d: number, e: number, f: number, g: number): number {
  return left === 0 ? a + b + c + d : descend(left - 1, b, c, d, e, f, g, left) + 1
}
