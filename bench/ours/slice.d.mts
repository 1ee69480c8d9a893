import type { Sample } from '../model.js'

export function sliceAsync(call: () => Promise<unknown>, seconds: number, inner?: number): Promise<Sample>
export function sliceSync(call: () => unknown, seconds: number, inner?: number): Sample
