/**
 * One slice of a per-call measure with tinybench, for the caller's thread and for jobs alike (plain JavaScript: a job's
 * thread runs no TypeScript). The figure is the mean over the slice, as the peers give it; p50 and p99 are of single calls.
 */
import { Bench } from 'tinybench'

const options = seconds => ({
  time: seconds * 1000,
  iterations: 1,
  warmupTime: Math.min(100, seconds * 200),
  warmupIterations: 2,
  throws: true,
})

/**
 * @param {import('tinybench').Bench} bench
 * @param {number} inner calls within one run of the function
 */
function sample(bench, inner) {
  const { latency } = bench.tasks[0].result
  const us = ms => (ms * 1000) / inner
  return {
    value: us(latency.mean),
    extra: { p50: us(latency.p50), p99: us(latency.p99), calls: latency.samplesCount * inner },
  }
}

/** @param {() => Promise<unknown>} call */
export async function sliceAsync(call, seconds, inner = 1) {
  const bench = new Bench(options(seconds)).add('slice', call, { async: true })
  await bench.run()
  return sample(bench, inner)
}

/** @param {() => unknown} call */
export function sliceSync(call, seconds, inner = 1) {
  const bench = new Bench(options(seconds)).add('slice', call, { async: false })
  bench.runSync()
  return sample(bench, inner)
}
