/** What the command line needs of the floors above: loaded only by the commands that start a session. */
import type { Config } from '../runtime/config.js'

interface Library {
  func(prototype: string): ((...values: readonly unknown[]) => Promise<unknown>) & { readonly argtypes?: unknown }
}
interface Loader {
  LoadLibrary(name: string): Promise<Library>
}
export interface Session {
  readonly pid: number
  readonly cdll: Loader
  readonly windll: Loader
  readonly oledll: Loader
  terminate(): Promise<void>
}
interface Surface {
  readonly CtypesSession: { start(config: Partial<Config>): Promise<Session> }
  readonly [name: string]: unknown
}

/** The whole public surface, as a program sees it. */
export const library = async (): Promise<Surface> =>
  (await import(new URL('../index.js', import.meta.url).href)) as Surface

export async function startSession(config: Partial<Config>): Promise<Session> {
  const { CtypesSession } = await library()
  return CtypesSession.start(config)
}
