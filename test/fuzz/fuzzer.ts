/** What a fuzzer is, and how it is run: inputs by a seed, each of which comes out right or is refused with an error of ours. */
import fc from 'fast-check'
import { ZugbrueckeError } from 'zugbruecke'

/** `taken`: with the right answer; `refused`: with one error of ours. */
export type Outcome = 'taken' | 'refused'

export interface Fuzzer<T = unknown> {
  readonly name: string
  readonly inputs: fc.Arbitrary<T>
  /** Throws for anything else than an `Outcome`. */
  readonly act: (input: T) => Outcome | Promise<Outcome>
  /** Inputs of a short run; a long one has as many times more as it is told. */
  readonly few: number
  /** Seeds that have found something once. */
  readonly kept: readonly number[]
}

export interface Found {
  readonly taken: number
  readonly refused: number
  /** The smallest input that failed, with its seed, in words. */
  readonly failure: string | undefined
}

/** `onInput` hears of each that has come out. */
export async function fuzz<T>(
  { inputs, act }: Fuzzer<T>,
  seed: number,
  count: number,
  onInput = () => {},
): Promise<Found> {
  const counts = { taken: 0, refused: 0 }
  const property = fc.asyncProperty(inputs, async input => {
    counts[await act(input)]++
    onInput()
  })
  const details = await fc.check(property, { seed, numRuns: count })
  const failure = `${fc.defaultReportMessage(details)}\n${(details.errorInstance as Error | null)?.stack}`
  return { ...counts, failure: details.failed ? failure : undefined }
}

/** What `work` gives, or the error of ours that it throws; any other is thrown on. */
export function refusedOr<T>(work: () => T): T | ZugbrueckeError {
  try {
    return work()
  } catch (error) {
    if (error instanceof ZugbrueckeError) return error
    throw error
  }
}

/** Numbers at which something ends, and their neighbours; `also` are those of the case in hand. */
export const borders = (...also: readonly number[]): fc.Arbitrary<number> =>
  fc
    .tuple(
      fc.constantFrom(0, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, ...also),
      fc.constantFrom(-16, -4, -2, -1, 0, 1, 2, 4, 16),
    )
    .map(([border, off]) => (border + off) >>> 0)
