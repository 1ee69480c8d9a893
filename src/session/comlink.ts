/** The only place that knows Comlink: proxies between this program's threads, with our errors crossing whole. */
import type { MessagePort } from 'node:worker_threads'
import * as comlink from 'comlink'
import { decodeError, type EncodedError, encodeError } from '../errors.js'

export type Remote<T> = comlink.Remote<T>

// Node's ports are event targets, as the browser's are
const endpoint = (port: MessagePort) => port as unknown as comlink.Endpoint

interface Thrown {
  readonly value: unknown
}
interface ThrownData {
  readonly error: EncodedError
}
// Comlink's own handler for what a function throws carries message, name and stack alone
const original = comlink.transferHandlers.get('throw')
comlink.transferHandlers.set('throw', {
  canHandle: (value): value is Thrown => original?.canHandle(value) === true,
  serialize: (thrown: Thrown): [ThrownData, []] => [{ error: encodeError(thrown.value) }, []],
  deserialize: (data: ThrownData) => {
    throw decodeError(data.error)
  },
})

/** Offers `api` to whoever holds the other end of the port. The port alone does not keep Node alive. */
export function expose(api: object, port: MessagePort): void {
  comlink.expose(api, endpoint(port))
  port.unref()
}

export function wrap<T>(port: MessagePort): Remote<T> {
  const remote = comlink.wrap<T>(endpoint(port))
  port.unref()
  return remote
}

/** Hands a port over with a call or a result. */
export const transferred = <T>(value: T, port: MessagePort): T => comlink.transfer(value as never, [port as never]) as T

/** Rejects when the other end of the port is closed, for instance with its thread: a call through a proxy would never settle. */
export function closing(port: MessagePort, error: () => Error): Promise<never> {
  const closed = new Promise<never>((_, reject) => port.once('close', () => reject(error())))
  closed.catch(() => {})
  return closed
}
