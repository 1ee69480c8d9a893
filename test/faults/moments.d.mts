import type { Config, CtypesSession } from 'zugbruecke'

export const MOMENTS: readonly string[]
export function reach(
  moment: string,
  config: Partial<Config>,
  dlls: { readonly faults: string; readonly callbacks: string },
  settle: (promise: PromiseLike<unknown>, expected?: unknown) => void,
): Promise<CtypesSession>
