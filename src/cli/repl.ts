/** The prompt with a session: a person's on a terminal, and a script's where lines come from a pipe. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type REPLServer, start } from 'node:repl'
import { PassThrough } from 'node:stream'
import { completeNames } from './completion.js'

/** Resolves when the prompt was left, or its lines have ended: has one of a pipe's lines failed? */
export async function prompt(
  greeting: string,
  names: object,
  exportsOf: (dll: string) => readonly string[],
): Promise<boolean> {
  if (process.stdin.isTTY) {
    process.stdout.write(`${greeting}\n`)
    const server = start({ prompt: 'zugbruecke> ', breakEvalOnSigint: true })
    Object.assign(server.context, names)
    completeNames(server, exportsOf)
    await once(server, 'exit')
    return false
  }
  const input = new PassThrough()
  const server = start({ prompt: '', input, output: process.stdout, terminal: false })
  Object.assign(server.context, names)
  const ended = once(server, 'exit')
  await Promise.race([feed(server, input), ended])
  // the prompt of a line that is to be continued is the only one that is not empty
  const isCutOff = server.getPrompt() !== ''
  if (isCutOff) process.stdout.write('Uncaught SyntaxError: Unexpected end of input\n')
  input.end()
  await ended
  // where Node's prompt keeps the last error, for whoever types
  return isCutOff || server.context._error !== undefined
}

/** Gives the lines one at a time: the next must find what the one before has awaited. Node's own prompt gives them all at once. */
async function feed(server: REPLServer, input: PassThrough): Promise<void> {
  let ready = () => {}
  const show = server.displayPrompt
  // the one thing that happens after every line, whether it gave a value, an error, or is to be continued
  server.displayPrompt = preserveCursor => {
    show.call(server, preserveCursor)
    ready()
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const done = new Promise<void>(resolve => {
      ready = resolve
    })
    input.write(`${line}\n`)
    if (!server.editorMode) await done
  }
}
