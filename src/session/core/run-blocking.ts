import type { Exchange } from '../../channel/exchange.js'
import type { SessionCore } from './core.js'

/** Tells how something ended: with an error, or with a value. Only the first call counts. */
export type Finish<T> = (error: Error | undefined, value?: T) => void

/**
 * Begins something and blocks this thread until it has ended. `begin` returns the exchange that runs, if the error of
 * the session's end is to name it. Throws the error that it ended with, or that of the session's end.
 */
export function runBlocking<T>(core: SessionCore, begin: (finish: Finish<T>) => Exchange | undefined): T {
  let outcome: { readonly error: Error | undefined; readonly value: T | undefined } | undefined
  const exchange = begin((error, value) => {
    outcome ??= { error, value }
  })
  if (!outcome) core.lane.waitFor(() => outcome !== undefined)
  if (!outcome) throw core.deathError(exchange)
  if (outcome.error) throw outcome.error
  return outcome.value as T
}
