/**
 * What travels, as bytes: a header that structured clone carries, and sections of memory behind it, which are not copied when they are
 * read. Little goes within the job itself; the rest lies under a key of its own for a limited time.
 */
import { deserialize, serialize } from 'node:v8'
import type { Redis } from 'ioredis'
import { ArgumentError } from '../errors.js'

/** Bytes that go within a job, and are kept with it. */
export const INLINE = 1024
/** Bytes of one payload, at the most. */
export const MOST = 64 * 2 ** 20
/** Bytes of a chunk of rows, at the most, there or back; a row larger than that goes alone. */
export const CHUNK_BYTES = 2 * 2 ** 20
const HEAD = 4

/** A payload within a job (as base64), or the size of what lies under its key. */
export type Carried = { readonly inline: string } | { readonly bytes: number }

/** Throws ArgumentError for what cannot be cloned. `what` names it. */
export function pack(what: string, header: unknown, sections: readonly Uint8Array[] = []): Buffer {
  let head: Buffer
  try {
    head = serialize(header)
  } catch (error) {
    throw new ArgumentError(`${what} cannot be sent (${(error as Error).message}): give plain data`, { cause: error })
  }
  const size = Buffer.alloc(HEAD)
  size.writeUInt32LE(head.length)
  const packed = Buffer.concat([size, head, ...sections])
  if (packed.length > MOST)
    throw new ArgumentError(
      `${what} takes ${packed.length} bytes, and ${MOST} is the most that one job carries: give less at a time, or let it name a file`,
    )
  return packed
}

export interface Unpacked<T> {
  readonly header: T
  /** The next section, of so many bytes. */
  take(bytes: number): Uint8Array
}

export function unpack<T>(packed: Buffer): Unpacked<T> {
  const length = packed.readUInt32LE(0)
  let at = HEAD + length
  return {
    header: deserialize(packed.subarray(HEAD, at)) as T,
    take(bytes) {
      at += bytes
      return packed.subarray(at - bytes, at)
    },
  }
}

/** Puts what is too large for the job under the key, for `ttl` milliseconds. */
export async function carry(redis: Redis, key: string, packed: Buffer, ttl: number): Promise<Carried> {
  if (packed.length <= INLINE) return { inline: packed.toString('base64') }
  await redis.set(key, packed, 'PX', ttl)
  return { bytes: packed.length }
}

/** Undefined where it is there no more. */
export async function fetch(redis: Redis, key: string, carried: Carried): Promise<Buffer | undefined> {
  if ('inline' in carried) return Buffer.from(carried.inline, 'base64')
  return (await redis.getBuffer(key)) ?? undefined
}

/** Takes it away, where it lies under the key. */
export async function forget(redis: Redis, key: string, carried: Carried): Promise<void> {
  if ('bytes' in carried) await redis.unlink(key)
}
