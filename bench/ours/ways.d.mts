import type { Sample } from '../model.js'

export interface Ways {
  sync(seconds: number): Sample
  awaited(seconds: number): Promise<Sample>
  together(seconds: number): Promise<Sample>
}
export type Way = keyof Ways
export const IN_FLIGHT: number
type Add = ((a: number, b: number) => Promise<number>) & { sync(a: number, b: number): number }
export function ways(add: Add): Ways
