/** What the benchmark speaks of: measures, what they gave, and a run of all of them. */
import type { PeerName } from './peers/peers.js'

export type Side = 'zugbruecke' | PeerName

export type Unit = 'us' | 'MB' | '%' | '/s'

/** The groups of the table, in its order: within one, every side was asked for the same thing. */
export const GROUPS = {
  add: 'two ints in, one out',
  work: 'a routine that takes about a microsecond',
  ten: 'ten floats in and out',
  fields: 'structure of ten fields by pointer',
  rows: '40-byte structures by pointer, each',
  doubles: '1 MiB of doubles in and out',
  callback: 'one callback, there and back',
  filter: 'image filter with nine callbacks',
  crash: 'a routine that crashes, each crash',
  half: 'two ints in, one out, with half a core',
  curve: 'calls a second over several sessions',
  start: 'session start',
  memory: 'private memory of a session',
  idle: 'an idle session',
  cluster: 'a cluster on this machine',
} as const

export type Group = keyof typeof GROUPS

/** The groups that measure a call, in the table's order: every peer is asked for these. */
export const CALL_GROUPS = [
  'add',
  'work',
  'ten',
  'fields',
  'rows',
  'doubles',
  'callback',
  'filter',
] as const satisfies readonly Group[]

/** What one slice of measuring gave. */
export interface Sample {
  readonly value: number
  readonly extra?: Readonly<Record<string, number>>
}

export interface Measure {
  readonly id: string
  readonly group: Group
  readonly side: Side
  /** The way of calling: `awaited`, `job`, … */
  readonly label: string
  readonly unit: Unit
  /** Fewer rounds than the run has, for what takes long. */
  readonly rounds?: number
  run(seconds: number): Promise<Sample>
}

export interface Result {
  readonly id: string
  readonly group: Group
  readonly side: Side
  readonly label: string
  readonly unit: Unit
  /** Median over the rounds. */
  readonly value: number
  /** One figure per round, in their order. */
  readonly rounds: readonly number[]
  readonly extra?: Readonly<Record<string, number>>
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
}

export interface Report {
  readonly date: string
  readonly arch?: 'win64' | 'win32'
  readonly quick: boolean
  readonly machine: Machine
  /** Share of the processor time that a hypervisor gave to other machines meanwhile. */
  readonly stolen: number
  readonly versions: Readonly<Record<string, string>>
  readonly results: readonly Result[]
  /** What has no figure, and why. */
  readonly missing: readonly { readonly what: string; readonly reason: string }[]
  readonly stages?: readonly StageBar[]
  readonly encodings?: readonly Encoding[]
}

/** What it costs to write one thing in one way. */
export interface Encoding {
  readonly what: string
  readonly way: 'WebAssembly encoder' | 'plain JavaScript' | 'FlatBuffers builder'
  readonly ns: number
}

/** Where the time of one way of calling goes, in µs. */
export interface StageBar {
  readonly label: string
  readonly parts: readonly { readonly stage: string; readonly us: number }[]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** How far the rounds lie apart: half the distance of the quartiles, as a share of the median. */
export function spread(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]
  const middle = median(values)
  return middle === 0 ? 0 : (at(0.75) - at(0.25)) / 2 / Math.abs(middle)
}

export function isLessBetter(unit: Unit): boolean {
  return unit !== '/s'
}
