/**
 * Asks V8 to find the objects that nothing leads to: of memory that both sides see it does not know how much they hold, and where its own heap
 * is small it does not look for them. They give their memory back after that, once the program pauses.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (how: { readonly type: 'major'; readonly execution: 'async' }) => Promise<unknown>

let collect: Collect | undefined
let isAsked = false

/** Has V8 collect when the program pauses next. Where it cannot be asked nothing happens: it looks when it sees fit. */
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
    // a flag that this V8 does not have, or that another thread has taken back meanwhile
  }
}

/** As `--expose-gc` has it, for this module alone. */
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
