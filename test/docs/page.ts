/**
 * The code of a documentation page. How a page is read:
 * - the first `ts` block is the page's preamble; every later block runs behind it, in a scope of its own;
 * - `file=NAME` behind the language makes a file of the block instead; `norun` leaves it out; `own` makes it a program of its own;
 * - `c` blocks with `file=NAME.c` become NAME.dll beside the page's program;
 * - `sh` blocks with `run` are run before, in the page's folder; lines `# → text` are what they print;
 * - `py` blocks are one program, run by the Windows Python of the set-up (with `norun`: compiled only);
 * - `// → value` behind an expression, a declaration or a `console.log` is what it gives, `// throws Name: words` how it fails;
 *   `…` stands for anything; comment lines of the same form right below continue the text.
 */
import { readFileSync } from 'node:fs'

export interface Block {
  readonly language: string
  readonly marks: readonly string[]
  /** Of its first line of code, counted from 1. */
  readonly line: number
  readonly code: string
}

/** All fenced blocks of a page. */
export function blocksOf(path: string): Block[] {
  const blocks: Block[] = []
  let open: { language: string; marks: string[]; line: number; lines: string[] } | undefined
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((text, i) => {
      const fence = /^```(.*)$/.exec(text)
      if (!fence) {
        open?.lines.push(text)
        return
      }
      if (open) {
        blocks.push({ language: open.language, marks: open.marks, line: open.line, code: open.lines.join('\n') })
        open = undefined
      } else {
        const [language, ...marks] = fence[1].trim().split(/\s+/)
        open = { language, marks, line: i + 2, lines: [] }
      }
    })
  if (open) throw new Error(`${path}: the block at line ${open.line} has no end`)
  return blocks
}

export const fileOf = (block: Block): string | undefined =>
  block.marks.find(mark => mark.startsWith('file='))?.slice('file='.length)

const IMPORT = /^import\s[^'"]*['"][^'"]+['"];?$|^import\s['"][^'"]+['"];?$/gm

/** Imports stand at the top of a module; the rest of a block may stand anywhere. */
function split(code: string): { imports: string; rest: string } {
  const imports: string[] = []
  // a line for a line, so that places in errors stay right
  const rest = code.replace(IMPORT, found => {
    imports.push(found)
    return '\n'.repeat(found.split('\n').length - 1)
  })
  return { imports: imports.join('\n'), rest }
}

/** The page's program as a reader would write it down: what the type checker sees. */
export function plainProgram(blocks: readonly Block[]): string {
  const parts = blocks.map(({ code }) => split(code))
  return [
    ...parts.map(({ imports }) => imports),
    ...parts.map(({ rest }, i) => (i === 0 ? rest : `{\n${rest}\n}`)),
    'export {}',
  ].join('\n')
}

/** The same with every `→` and `throws` checked, and every block's failure caught: prints a line of JSON for each. */
export function checkedProgram(blocks: readonly Block[], helper: string): string {
  const parts = blocks.map(({ code }) => split(code))
  const body = parts.map(({ rest }, i) => {
    const { line } = blocks[i]
    const checked = checkLines(rest, line)
    return i === 0
      ? `${checked}\nblockDone(${line})`
      : `await inBlock(${line}, async () => {\n${checked}\n})\nblockDone(${line})`
  })
  return [
    `import { blockDone, given, inBlock, is, logs, throws } from ${JSON.stringify(helper)}`,
    ...parts.map(({ imports }) => imports),
    ...body,
  ].join('\n')
}

const EXPECTED = /^(.*?)\s*\/\/ (→|throws) ?(.*)$/
const CONTINUED = /^\s*\/\/ → ?(.*)$/

function checkLines(code: string, first: number): string {
  const lines = code.split('\n')
  const out: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const match = EXPECTED.exec(lines[i])
    if (!match || match[1].trim() === '') {
      out.push(lines[i])
      continue
    }
    const place = first + i
    let expected = match[3]
    while (CONTINUED.test(lines[i + 1] ?? '')) expected += `\n${CONTINUED.exec(lines[++i])?.[1]}`
    out.push(checkLine(match[1], match[2], JSON.stringify(expected), place))
  }
  return out.join('\n')
}

function checkLine(statement: string, how: string, expected: string, line: number): string {
  const source = statement.trim()
  if (how === 'throws') return `await throws(async () => { ${source} }, ${expected}, ${line})`
  const logged = /^console\.log\((.*)\)$/.exec(source)
  if (logged) return `logs([${logged[1]}], ${expected}, ${line})`
  const declared = /^(?:const|let) (\w+)\b.* = /.exec(source)
  if (declared) return `${source}; is(${declared[1]}, ${expected}, ${line})`
  if (/^\w+[\w.[\]]* = /.test(source)) return `given(${source}); is(${source.split(' = ')[0]}, ${expected}, ${line})`
  return `is((${source}), ${expected}, ${line})`
}

/** `expression  # → repr`, and `# raises Name`: the same for Python, in one program. */
export function pythonProgram(blocks: readonly Block[]): string {
  const body = blocks.map(({ code, line }) =>
    code
      .split('\n')
      .map((text, i) => {
        const match = /^(\s*)(.*?)\s*# (→|raises) ?(.*)$/.exec(text)
        if (!match || match[2] === '') return text
        const [, indent, source, how, expected] = match
        const tail = `${JSON.stringify(expected)}, ${line + i})`
        if (how === 'raises') return `${indent}_raises(lambda: ${source}, ${tail}`
        const logged = /^print\((.*)\)$/.exec(source)
        if (logged) return `${indent}_is_text(str(${logged[1]}), ${tail}`
        const declared = /^(\w+) = /.exec(source)
        return declared ? `${indent}${source}; _is(${declared[1]}, ${tail}` : `${indent}_is((${source}), ${tail}`
      })
      .join('\n'),
  )
  return `${PYTHON_HELPER}\n${body.join('\n')}\nprint("PAGE DONE")\n`
}

const PYTHON_HELPER = `
import re as _re, sys as _sys
_sys.stdout.reconfigure(encoding="utf-8")
def _is_text(actual, expected, line):
    pattern = ".*".join(_re.escape(part) for part in expected.split("…"))
    if not _re.fullmatch(pattern, actual, _re.S): print(f"line {line}: {actual}, not {expected}")
def _is(actual, expected, line): _is_text(repr(actual), expected, line)
def _raises(act, expected, line):
    try: act()
    except Exception as error: _is_text(f"{type(error).__name__}: {error}", expected, line)
    else: print(f"line {line}: nothing was raised, not {expected}")
`
