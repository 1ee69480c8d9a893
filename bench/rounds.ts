/** Runs measures in rounds: each round goes once through all of them, so that what disturbs the machine disturbs all sides alike. */
import { type Measure, median, type Result, type Sample } from './model.js'

/**
 * So many slices make a figure of a round, which is their median: whoever else takes a core for some milliseconds, on this machine or on
 * the one that it is a part of, spoils one of them, and would spoil the mean of all.
 */
const SLICES = 5

export interface Progress {
  step(done: number, total: number, what: string): void
}

export interface Outcome {
  readonly results: Result[]
  readonly missing: { readonly what: string; readonly reason: string }[]
}

export async function runRounds(
  measures: readonly Measure[],
  rounds: number,
  seconds: number,
  progress: Progress,
): Promise<Outcome> {
  const samples = new Map<Measure, Sample[]>(measures.map(measure => [measure, []]))
  const failed = new Map<Measure, string>()
  const roundsOf = (measure: Measure) => Math.min(rounds, measure.rounds ?? rounds)
  const total = measures.reduce((sum, measure) => sum + roundsOf(measure), 0)
  let done = 0
  for (let round = 0; round < rounds; round++) {
    for (const measure of measures) {
      if (round >= roundsOf(measure)) continue
      progress.step(done++, total, `${measure.group}: ${measure.label}`)
      if (failed.has(measure)) continue
      try {
        if (round === 0) await warmUp(measure, seconds)
        samples.get(measure)?.push(await figure(measure, seconds))
      } catch (error) {
        failed.set(measure, (error as Error).message.split('\n')[0])
      }
    }
  }
  progress.step(total, total, 'done')

  const results = measures.flatMap((measure): Result[] => {
    const taken = samples.get(measure) ?? []
    if (failed.has(measure) || taken.length === 0) return []
    const { id, group, side, label, unit } = measure
    const values = taken.map(({ value }) => value)
    const extra = merge(taken)
    return [{ id, group, side, label, unit, value: median(values), rounds: values, ...(extra ? { extra } : {}) }]
  })
  const missing = [...failed].map(([{ group, label }, reason]) => ({ what: `${group}, ${label}`, reason }))
  return { results, missing }
}

/** A figure that does not count, for each side's compiler has yet to see what runs often. */
async function warmUp(measure: Measure, seconds: number): Promise<void> {
  if (measure.rounds === undefined) await measure.run(seconds)
}

/** What is taken less often takes long, and is one slice. */
async function figure(measure: Measure, seconds: number): Promise<Sample> {
  if (measure.rounds !== undefined) return measure.run(seconds)
  const slices: Sample[] = []
  while (slices.length < SLICES) slices.push(await measure.run(seconds / SLICES))
  const extra = merge(slices)
  return { value: median(slices.map(({ value }) => value)), ...(extra ? { extra } : {}) }
}

function merge(samples: readonly Sample[]): Record<string, number> | undefined {
  const names = new Set(samples.flatMap(({ extra }) => Object.keys(extra ?? {})))
  if (names.size === 0) return undefined
  return Object.fromEntries([...names].map(name => [name, median(samples.flatMap(({ extra }) => extra?.[name] ?? []))]))
}
