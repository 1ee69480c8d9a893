#!/usr/bin/env node
// Puts a row into the table of docs/systems.md, in the place of the earlier one of the same system.
import { readFileSync, writeFileSync } from 'node:fs'

const page = new URL('../docs/systems.md', import.meta.url)
const [row] = process.argv.slice(2)
const [begin, end] = ['<!-- systems -->', '<!-- /systems -->']
const text = readFileSync(page, 'utf8')
const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
if (!row?.startsWith('| ') || to < from)
  throw new Error('usage: systems-row.mjs "| SYSTEM | … |", and the marks in docs/systems.md')
// of a system its release counts, not the point release: "Debian GNU/Linux 12 (bookworm)"
const system = line => line.split('|')[1].replace(/\).*/, ')').trim()
const lines = text.slice(from, to).trim().split('\n')
const rows = lines.slice(2).filter(line => system(line) !== system(row))
writeFileSync(
  page,
  `${text.slice(0, from)}\n${[...lines.slice(0, 2), ...[...rows, row].sort()].join('\n')}\n${text.slice(to)}`,
)
