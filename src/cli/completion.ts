/** What the prompt offers behind a dot: the routines of a DLL, and nothing that only this library itself uses. */
import type { REPLServer } from 'node:repl'
import { runInContext } from 'node:vm'

/** `server.completer` as Node's own and ours have it. */
type Completer = (line: string, done: (error: Error | null, result?: [string[], string]) => void) => void

/** Of sessions, their memory, libraries and routines. */
const internal = new Set([
  '_name',
  'adopt',
  'blocking',
  'core',
  'coreNow',
  'cwd',
  'runJob',
  'session',
  'toUnix',
  'whenReady',
])

const isInternal = (member = '') => member.startsWith('_zb_') || internal.has(member)

export function completeNames(server: REPLServer, exportsOf: (dll: string) => readonly string[]): void {
  const own = server.completer as Completer
  const complete: Completer = (line, done) =>
    own.call(server, line, (error, result) => {
      if (error || !result) return done(error, result)
      const [, path, start] = /([A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)\.([\w$]*)$/.exec(line) ?? []
      const shown = result[0].filter(name => !isInternal(/\.([^.]+)$/.exec(name)?.[1]))
      if (path === undefined || start === undefined) return done(null, [shown, result[1]])
      const routines = routinesOf(server, path, exportsOf).filter(name => name.startsWith(start))
      const all = new Set([...shown, ...routines.map(name => `${path}.${name}`)])
      done(null, [[...all], `${path}.${start}`])
    })
  Object.assign(server, { completer: complete })
}

/** Those of the library that these names lead to; what they lead to otherwise, or nowhere, has none. */
function routinesOf(
  server: REPLServer,
  path: string,
  exportsOf: (dll: string) => readonly string[],
): readonly string[] {
  try {
    const found: unknown = runInContext(path, server.context)
    const dll =
      typeof found === 'object' && found !== null && 'func' in found && '_name' in found ? found._name : undefined
    return typeof dll === 'string' ? exportsOf(dll).filter(name => /^[A-Za-z_$][\w$]*$/.test(name)) : []
  } catch {
    return []
  }
}
