/** The text being read, and the errors that point into it. */
import { ArgumentError } from '../../errors.js'

/** Both counted from 1; a tab is one column. */
export interface Position {
  readonly line: number
  readonly column: number
}

export class Source {
  constructor(
    readonly text: string,
    /** What a message calls the text. */
    readonly label: 'header' | 'prototype',
  ) {}

  /** An error that says where, shows the line and puts a caret below the place. */
  error(at: Position, message: string): ArgumentError {
    const line = this.text.split(/\r\n|\r|\n/)[at.line - 1] ?? ''
    const indent = line.slice(0, at.column - 1).replace(/[^\t]/g, ' ')
    const text = `${this.label} line ${at.line}, column ${at.column}: ${message}\n  ${line}\n  ${indent}^`
    return new ArgumentError(text, { line: at.line, column: at.column })
  }
}
