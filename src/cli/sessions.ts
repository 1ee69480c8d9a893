/** What the command line needs of the floors above: loaded only by the commands that start a session. */
import type { Config } from '../runtime/config.js'

/** A C type, as far as an argument's text needs it. */
export interface Type {
  new (...values: readonly unknown[]): object
  readonly name: string
  /** Of a pointer. */
  readonly pointee?: Type
  /** Of an array. */
  readonly elementType?: Type
  array(length: number): Type
}
export type Parameter = Type | { readonly outType: Type }
export interface Routine {
  (...values: readonly unknown[]): Promise<unknown>
  readonly argtypes: readonly Parameter[]
}
export interface Library {
  func(prototype: string): Routine
}
type Constructor = (name: string) => Library
interface Loader {
  readonly [name: string]: Library
}
export interface Session {
  readonly pid: number
  readonly CDLL: Constructor
  readonly WinDLL: Constructor
  readonly OleDLL: Constructor
  readonly cdll: Loader
  readonly windll: Loader
  readonly oledll: Loader
  terminate(): Promise<void>
}
interface Surface {
  readonly CtypesSession: { new (config: Partial<Config>): Session; start(config: Partial<Config>): Promise<Session> }
  readonly [name: string]: unknown
}

/** The whole public surface, as a program sees it. */
export const library = async (): Promise<Surface> =>
  (await import(new URL('../index.js', import.meta.url).href)) as Surface

export async function startSession(config: Partial<Config>): Promise<Session> {
  const { CtypesSession } = await library()
  return CtypesSession.start(config)
}

/** One that is still starting: what is asked of it waits. */
export async function openSession(config: Partial<Config>): Promise<Session> {
  const { CtypesSession } = await library()
  return new CtypesSession(config)
}
