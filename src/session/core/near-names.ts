import { distance } from 'fastest-levenshtein'

/** At most this many names. */
const MOST = 3

/** Names of `all` that are like one that was not found, the nearest first. Case does not count. */
export function nearNames(name: string, all: readonly string[]): string[] {
  const lower = name.toLowerCase()
  const limit = Math.max(2, Math.floor(name.length / 3))
  return all
    .map(candidate => ({ candidate, far: distance(lower, candidate.toLowerCase()) }))
    .filter(({ far }) => far <= limit)
    .sort((a, b) => a.far - b.far)
    .slice(0, MOST)
    .map(({ candidate }) => candidate)
}
