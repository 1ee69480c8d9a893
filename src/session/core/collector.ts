/**
 * Asks V8 to collect unreachable objects. V8 does not know how much memory of the segment they hold, and does not look
 * for them while its own heap is small. They give that memory back when the program pauses after the collection.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (how: { readonly type: 'major'; readonly execution: 'async' }) => Promise<unknown>

let collect: Collect | undefined
let isAsked = false

/** Has V8 collect when the program pauses next. Does nothing where V8 cannot be asked: it collects when it sees fit. */
export function collectGarbage(): void {
  if (isAsked) return
  isAsked = true
  void ask().finally(() => {
    isAsked = false
  })
}

async function ask(): Promise<void> {
  try {
    collect ??= exposed()
    await collect({ type: 'major', execution: 'async' })
  } catch {
    // this V8 does not have the flag, or another thread has taken it back meanwhile
  }
}

/** The function that `--expose-gc` gives, for this module alone. */
function exposed(): Collect {
  const { gc } = globalThis as { readonly gc?: Collect }
  if (gc) return gc
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as Collect
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
