import { type Callback, suite, type Test } from 'uvu'

export interface TestAtOnce<T> extends Test<T> {
  /** One that minds what others do: it begins when all before it are over, and belongs at the end. */
  alone: Test<T>
}

/** A suite whose tests mostly wait, and do not disturb each other: so many of them run at a time. It has no hooks for each test. */
export function suiteAtOnce<T>(name: string, count: number): TestAtOnce<T> {
  const alone = suite<T>(name)
  const acts: Callback<T>[] = []
  let begun: Promise<void>[] | undefined
  const test = (what: string, act: Callback<T>) => {
    const place = acts.push(act) - 1
    alone(what, context => (begun ??= beginAll(acts, context, count))[place])
  }
  const { only, skip, run, before, after } = alone
  return Object.assign(test, { only, skip, run, before, after, alone })
}

/** Each begins when the one so many before it is over. */
function beginAll<T>(acts: readonly Callback<T>[], context: Parameters<Callback<T>>[0], count: number) {
  const begun: Promise<void>[] = []
  for (const [i, act] of acts.entries()) {
    const before = Promise.resolve(begun[i - count]).catch(() => {})
    const one = before.then(() => act(context))
    // told by the test that waits for it
    one.catch(() => {})
    begun.push(one)
  }
  return begun
}
