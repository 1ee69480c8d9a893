/** Fetches one file, verified, resumable, written aside and renamed: a file that exists under its name is whole. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { SetupError } from '../errors.js'
import type { Progress, Step } from './progress.js'

/** The source cannot be used (not reachable, not there): another one may do. */
export class SourceUnavailable extends Error {}

const secondsToAnswer = 5
const secondsOfSilence = 20

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Throws `SetupError`, and removes the file, unless its SHA-256 is the expected one. */
export async function verify(path: string, expected: string, source: string): Promise<void> {
  const found = await sha256(path)
  if (found === expected.toLowerCase()) return
  await rm(path, { force: true })
  throw new SetupError(
    `Wrong checksum: ${source} has SHA-256 ${found}, expected ${expected}. The file was removed; nothing of it was used.`,
  )
}

interface Answer {
  readonly body: Readable
  /** Bytes that are there already, and bytes in all. */
  readonly from: number
  readonly total: number | undefined
}

async function openFile(url: string): Promise<Answer> {
  const path = fileURLToPath(url)
  const size = await stat(path).catch(() => undefined)
  if (!size?.isFile()) throw new SourceUnavailable('no such file')
  return { body: createReadStream(path), from: 0, total: size.size }
}

async function openUrl(url: string, have: number, stop: AbortController): Promise<Answer> {
  const timer = setTimeout(() => stop.abort(), secondsToAnswer * 1000)
  let response: Response
  try {
    const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {}
    response = await fetch(url, { headers, signal: stop.signal })
  } catch (error) {
    const cause = (error as Error).cause as { code?: string; message?: string } | undefined
    const why = stop.signal.aborted
      ? `no answer within ${secondsToAnswer} s`
      : (cause?.code ?? cause?.message ?? (error as Error).message)
    throw new SourceUnavailable(why)
  } finally {
    clearTimeout(timer)
  }
  if (response.status === 416) throw new SourceUnavailable('stale') // what is there is not a part of this file
  if (!response.ok || !response.body) throw new SourceUnavailable(`HTTP status ${response.status}`)
  const resumed = response.status === 206
  const length = Number(response.headers.get('content-length') ?? Number.NaN)
  const from = resumed ? have : 0
  return {
    body: Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
    from,
    total: Number.isFinite(length) ? from + length : undefined,
  }
}

async function receive(url: string, part: string, step: Step): Promise<number> {
  const stop = new AbortController()
  const have = (await stat(part).catch(() => undefined))?.size ?? 0
  const { body, from, total } = url.startsWith('file:') ? await openFile(url) : await openUrl(url, have, stop)
  let done = from
  step.advance(done, total)
  let silence = setTimeout(() => stop.abort(), secondsOfSilence * 1000)
  body.on('data', (chunk: Buffer) => {
    done += chunk.length
    step.advance(done, total)
    clearTimeout(silence)
    silence = setTimeout(() => stop.abort(), secondsOfSilence * 1000)
  })
  try {
    await pipeline(body, createWriteStream(part, { flags: from > 0 ? 'a' : 'w' }))
  } catch (error) {
    throw new SourceUnavailable(
      stop.signal.aborted ? `nothing came for ${secondsOfSilence} s` : `broken off: ${(error as Error).message}`,
    )
  } finally {
    clearTimeout(silence)
  }
  return done
}

/** Fetches `url` (http, https, file) to `path`. An interrupted download is taken up where it stopped. */
export async function download(url: string, path: string, expected: string, progress: Progress): Promise<void> {
  const part = `${path}.${expected.slice(0, 8)}.part`
  const step = progress.step(url, 'bytes')
  let bytes = 0
  try {
    bytes = await receive(url, part, step).catch(async error => {
      if ((error as Error).message !== 'stale') throw error
      await rm(part, { force: true })
      return receive(url, part, step)
    })
  } catch (error) {
    step.end(error instanceof SourceUnavailable ? `not available (${error.message})` : 'failed')
    throw error
  }
  try {
    await verify(part, expected, url)
  } catch (error) {
    step.end('wrong checksum')
    throw error
  }
  await rename(part, path)
  step.end(`${(bytes / 1e6).toFixed(1)} MB, checksum right`)
}
