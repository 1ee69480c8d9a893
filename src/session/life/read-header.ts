import { Worker } from 'node:worker_threads'
import type { ReadAnswer, ReadTask } from '../../../workers/header.js'
import type { ParsedHeader } from '../../ctypes/header/index.js'
import { ArgumentError, decodeError } from '../../errors.js'
import type { Arch } from '../../runtime/config.js'

/**
 * Reads a C header in a thread of its own, since that of `windows.h` takes seconds. What it gives is plain data that
 * can be sent to any thread and to jobs: `session.header` and `declare` take it like the text, in milliseconds. Rejects
 * with ArgumentError, which names the line that cannot be read.
 */
export async function readHeader(
  text: string,
  { arch = 'win64' }: { readonly arch?: Arch } = {},
): Promise<ParsedHeader> {
  if (typeof text !== 'string') throw new ArgumentError('readHeader takes C as text')
  if (arch !== 'win64' && arch !== 'win32') throw new ArgumentError(`readHeader: "arch" is win64 or win32, not ${arch}`)
  const workerData: ReadTask = { text, arch }
  const worker = new Worker(new URL('../../../workers/header.js', import.meta.url), {
    name: 'zugbruecke header',
    workerData,
    execArgv: [],
  })
  const answer = await new Promise<ReadAnswer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  if ('error' in answer) throw decodeError(answer.error)
  return answer.parsed
}
