/**
 * Payloads of jobs as bytes: a header in structured-clone format, and sections of memory behind it, which are not copied when they are
 * read. A small payload goes within the job itself; a larger one is stored under a key of its own for a limited time.
 */
import type { Writable } from 'node:stream'
import { deserialize, serialize } from 'node:v8'
import { Command, type Redis } from 'ioredis'
import { ArgumentError, ClusterError } from '../errors.js'

/** The largest payload that goes within the job, in bytes. */
export const INLINE = 1024
/** The largest payload, in bytes. */
export const MOST = 64 * 2 ** 20
/** Bytes of a chunk of rows, at the most, there or back; a row larger than that goes alone. */
export const CHUNK_BYTES = 2 * 2 ** 20
const HEAD = 4

/** Where a payload is: within the job (as base64), or under its own key, and then how many bytes. */
export type PayloadPlace = { readonly inline: string } | { readonly bytes: number }

/** A payload to be sent. Its pieces are not copied: they must not change until they have been sent. */
export interface Payload {
  readonly pieces: readonly Uint8Array[]
  readonly length: number
}

/** Throws ArgumentError for values that cannot be cloned. `what` names it in the error. */
export function pack(what: string, header: unknown, sections: readonly Uint8Array[] = []): Payload {
  let head: Buffer
  try {
    head = serialize(header)
  } catch (error) {
    throw new ArgumentError(`${what} cannot be sent (${(error as Error).message}): give plain data`, { cause: error })
  }
  const size = Buffer.alloc(HEAD)
  size.writeUInt32LE(head.length)
  const pieces = [size, head, ...sections]
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (length > MOST)
    throw new ArgumentError(
      `${what} takes ${length} bytes, and ${MOST} is the most that one job carries: give less at a time, or let it name a file`,
    )
  return { pieces, length }
}

export interface Unpacked<T> {
  readonly header: T
  /** The next section, of so many bytes. */
  read(bytes: number): Uint8Array
}

/** Throws ClusterError if the bytes are not a payload of this package, or not a whole one. `what` names it in the error. */
export function unpack<T>(what: string, packed: Buffer): Unpacked<T> {
  let at = HEAD
  const read = (bytes: number) => {
    if (!(bytes >= 0 && at + bytes <= packed.length)) throw unreadable(what)
    at += bytes
    return packed.subarray(at - bytes, at)
  }
  if (packed.length < HEAD) throw unreadable(what)
  const head = read(packed.readUInt32LE(0))
  try {
    return { header: deserialize(head) as T, read }
  } catch (cause) {
    throw unreadable(what, cause)
  }
}

export const unreadable = (what: string, cause?: unknown) =>
  new ClusterError(
    `${what} cannot be read: it is not whole, or not of this package; who else writes into this Redis?`,
    cause === undefined ? {} : { cause },
  )

/**
 * A SET whose value is written to the socket piece by piece. ioredis assembles each command in one new buffer, and collecting buffers
 * of such sizes took half of a client's time. ioredis has no other way to send a value in pieces; `toWritable` is public, and receives
 * the socket for commands that write themselves (the scripts of ioredis do so, too).
 */
class SetPieces extends Command {
  constructor(
    private readonly key: string,
    private readonly packed: Payload,
    private readonly ttl: string,
  ) {
    super('set', [key, '', 'PX', ttl])
  }
  override toWritable(socket: Writable): string {
    const { key, packed, ttl } = this
    socket.cork()
    socket.write(`*5\r\n$3\r\nset\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n$${packed.length}\r\n`)
    for (const piece of packed.pieces) socket.write(piece)
    // ioredis writes the returned text behind the pieces, which completes the command
    process.nextTick(() => socket.uncork())
    return `\r\n$2\r\nPX\r\n$${ttl.length}\r\n${ttl}\r\n`
  }
}

/** Stores a payload under the key for `ttl` milliseconds. */
export async function store(redis: Redis, key: string, packed: Payload, ttl: number): Promise<void> {
  await redis.sendCommand(new SetPieces(key, packed, String(ttl)))
}

/** Returns a small payload for the job itself, and stores a larger one under the key. */
export async function carry(redis: Redis, key: string, packed: Payload, ttl: number): Promise<PayloadPlace> {
  if (packed.length <= INLINE) return { inline: Buffer.concat(packed.pieces).toString('base64') }
  await store(redis, key, packed, ttl)
  return { bytes: packed.length }
}

/** Undefined if the payload has expired. Throws ClusterError if it does not have the length that the job says. `what` names it in the error. */
export async function fetch(
  redis: Redis,
  what: string,
  key: string,
  carried: PayloadPlace,
): Promise<Buffer | undefined> {
  if ('inline' in carried) return Buffer.from(carried.inline, 'base64')
  const found = (await redis.getBuffer(key)) ?? undefined
  if (found && found.length !== carried.bytes) throw unreadable(what)
  return found
}

/** Removes the payload if it is under the key. */
export async function forget(redis: Redis, key: string, carried: PayloadPlace): Promise<void> {
  if ('bytes' in carried) await redis.unlink(key)
}
