/** How a call may come out, where something goes wrong around it. */
import { ZugbrueckeError } from 'zugbruecke'

/** `value`: the right one; `error`: one of ours; `raw`: any other; `wrong`: another value; `never`: not within the limit. */
export const OUTCOMES = ['value', 'error', 'raw', 'wrong', 'never'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Nothing that is awaited here may take as long, in milliseconds. */
const LIMIT = 60_000

export class Tally {
  readonly counts: Record<Outcome, number> = { value: 0, error: 0, raw: 0, wrong: 0, never: 0 }
  /** What should not have been, in words. */
  readonly notes: string[] = []

  add(outcome: Outcome, note?: string): void {
    this.counts[outcome]++
    if (outcome !== 'value' && outcome !== 'error') this.notes.push(`${outcome}: ${note}`)
  }

  take(other: Tally): void {
    for (const outcome of OUTCOMES) this.counts[outcome] += other.counts[outcome]
    this.notes.push(...other.notes)
  }

  /** Notes how a promise settles; where a value is expected, any other is wrong. Never rejects. */
  async settle(what: string, promise: PromiseLike<unknown>, expected?: (value: unknown) => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, LIMIT, 'late')
    })
    const settled = Promise.resolve(promise).then(
      value => {
        if (expected && !expected(value)) this.add('wrong', `${what} gave ${String(value)}`)
        else this.add('value')
      },
      error => {
        if (error instanceof ZugbrueckeError) this.add('error')
        else this.add('raw', `${what} failed with ${error?.stack ?? error}`)
      },
    )
    if ((await Promise.race([settled, late])) === 'late') this.add('never', what)
    clearTimeout(timer)
  }
}
