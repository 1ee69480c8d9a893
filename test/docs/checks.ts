/** What a page's program calls at its `→` and `throws`. Prints a line of JSON for each, for the test to read. */
import { format, inspect } from 'node:util'

export interface Report {
  readonly line: number
  readonly ok: boolean
  readonly actual?: string
  readonly expected?: string
  readonly done?: boolean
}

const report = (it: Report): void => void process.stdout.write(`\n@@ ${JSON.stringify(it)}\n`)

const fits = (actual: string, expected: string): boolean => {
  const pattern = expected.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('[^]*')}$`).test(actual)
}
const compare = (actual: string, expected: string, line: number): void =>
  report({ line, ok: fits(actual, expected), actual, expected })

export const is = (actual: unknown, expected: string, line: number): void =>
  compare(inspect(actual, { breakLength: Number.POSITIVE_INFINITY }), expected, line)
export const logs = (values: unknown[], expected: string, line: number): void =>
  compare(format(...values), expected, line)
export const given = (_value: unknown): void => {}

export async function throws(act: () => unknown, expected: string, line: number): Promise<void> {
  try {
    await act()
  } catch (error) {
    const { name, message } = error as Error
    compare(expected.includes(':') ? `${name}: ${message}` : name, expected, line)
    return
  }
  report({ line, ok: false, actual: 'nothing was thrown', expected })
}

export async function inBlock(line: number, act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    report({ line, ok: false, actual: (error as Error)?.stack ?? String(error) })
  }
}
export const blockDone = (line: number): void => report({ line, ok: true, done: true })
