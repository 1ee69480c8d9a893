/** What the long runs have in common: their architectures, and their reports in docs/reliability.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { Arch } from 'zugbruecke'

const page = new URL('../../docs/reliability.md', import.meta.url)

/** Replaces what stands between the two comments of a name. Throws where they are missing. */
export function writeReport(name: string, text: string): void {
  const before = readFileSync(page, 'utf8')
  const place = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- / -->)`)
  if (!place.test(before)) throw new Error(`docs/reliability.md has no place <!-- ${name} -->`)
  writeFileSync(
    page,
    before.replace(place, (_, from, to) => `${from}\n${text.trim()}\n\n${to}`),
  )
}

/** The architectures of a run: the one that an option names, or both. */
export const archesOf = (option: string | undefined): readonly Arch[] =>
  option === undefined ? ['win64', 'win32'] : [option as Arch]

/** The day, and what it ran on. */
export function occasion(): string {
  const [{ model }] = cpus()
  const gibibytes = Math.round(totalmem() / 2 ** 30)
  const day = new Date().toISOString().slice(0, 10)
  return `${day}, ${model.trim()}, ${cpus().length} cores, ${gibibytes} GiB, Node.js ${process.versions.node}`
}

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}
