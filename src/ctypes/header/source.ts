/** The text being read, and the errors that point into it. */
import { ArgumentError } from '../../errors.js'
import { windowsFiles } from './table.js'

/** Both counted from 1; a tab is one column. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** The most characters of a line that a message shows. */
const mostShown = 160

/** A text and what is noted of it while it is read. */
export class Source {
  #lines: string[] | undefined
  /** Files that the text includes, as it names them; none of them is read. */
  readonly includes: string[] = []
  /** Macros in conditions that are not defined, with the line of the first condition. */
  readonly undefinedMacros = new Map<string, number>()

  constructor(
    readonly text: string,
    /** What a message calls the text. */
    readonly label: 'header' | 'prototype',
  ) {}

  /** A line, counted from 1. Split once: expressions are tried out, and most of their errors are never shown. */
  line(number: number): string {
    this.#lines ??= this.text.split(/\r\n|\r|\n/)
    return this.#lines[number - 1] ?? ''
  }

  /** The end of a message about something that an included file may define. Files that windows.h brings along are not named. */
  get includeHint(): string {
    const isKnown = (file: string) => windowsFiles().has(file.replace(/[<>"]/g, '').toLowerCase())
    const files = this.includes
      .filter(file => !isKnown(file))
      .slice(-3)
      .join(', ')
    return files && `; #include is not followed: the text of ${files} belongs in front`
  }

  /** An error that says where, shows the line and puts a caret below the place. */
  error(at: Position, message: string): ArgumentError {
    const whole = this.line(at.line)
    // generated text may be one long line: show what surrounds the place
    const from = whole.length > mostShown ? Math.max(0, at.column - mostShown / 2) : 0
    const line = whole.slice(from, from + mostShown)
    const indent = line.slice(0, at.column - 1 - from).replace(/[^\t]/g, ' ')
    const text = `${this.label} line ${at.line}, column ${at.column}: ${message}\n  ${line}\n  ${indent}^`
    return new ArgumentError(text, { line: at.line, column: at.column })
  }
}
