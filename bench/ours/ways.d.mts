import type { Sample } from '../model.js'

export type Way = 'sync' | 'awaited' | 'together'
export const IN_FLIGHT: number
type Add = ((a: number, b: number) => Promise<number>) & { sync(a: number, b: number): number }
export function ways(add: Add): Record<Way, (seconds: number) => Promise<Sample> | Sample>
