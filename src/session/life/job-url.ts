/** Where a job's module is: `./job.mjs` lies beside the file that says so, as in an import. */
import { pathToFileURL } from 'node:url'
import { checkOptions, SIGNAL } from '../../ctypes/checks.js'
import { describe } from '../../ctypes/data.js'
import { isA } from '../../ctypes/given.js'
import { ArgumentError } from '../../errors.js'

/**
 * The URL of a job's module. Throws ArgumentError. To be called before anything is awaited, while the caller is still
 * on the stack.
 */
export function jobUrl(module: unknown, options: unknown): string {
  if (!isA(module, URL) && (typeof module !== 'string' || module === '' || module.includes('\0')))
    throw new ArgumentError(`a job is a module, named by a URL or a string, not by ${describe(module)}`)
  checkOptions('a job', options, { signal: SIGNAL })
  const name = String(module)
  return /^\.\.?\//.test(name) ? new URL(name, callerUrl() ?? pathToFileURL(`${process.cwd()}/`)).href : name
}

const own = new URL('../..', import.meta.url).href

/** The innermost file on the stack that is the program's; undefined where there is none, as at a prompt. */
function callerUrl(): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  try {
    Error.stackTraceLimit = 30
    Error.prepareStackTrace = (_, sites) => sites.map(site => site.getFileName())
    const files = new Error().stack as unknown as readonly (string | null | undefined)[]
    const urls = files.map(file => (file?.startsWith('/') ? pathToFileURL(file).href : file))
    return urls.find(url => url?.startsWith('file:') && !url.startsWith(own)) ?? undefined
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit })
  }
}
