import type { Library } from 'zugbruecke'

export const KEPT: number

/** In MiB. */
export interface Memory {
  readonly node: number
  readonly heap: number
  readonly windows: number
}

export class Peak {
  constructor(pid: number)
  readonly most: Memory
  look(): Memory
}

interface Valued {
  readonly value: number
}
export class Kept {
  add(object: Valued, value: number): void
  wrong(): number
}

export interface Dropped {
  readonly made: number
  readonly wrong: number
  readonly error?: string
  readonly most: Memory
}

export function dropObjects(lib: Library, pid: number, from: number, count: number): Dropped
