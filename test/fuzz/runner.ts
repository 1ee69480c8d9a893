/** The thread in which one fuzzer runs: whatever it does to this thread, the one that started it tells of it. */
import { parentPort, workerData } from 'node:worker_threads'
import { fuzz } from './fuzzer.js'
import { FUZZERS } from './fuzzers.js'

export interface RunnerData {
  readonly name: string
  readonly seed: number
  readonly count: number
  /** Inputs that have come out. */
  readonly progress: Int32Array
}

const { name, seed, count, progress } = workerData as RunnerData
const fuzzer = FUZZERS.find(one => one.name === name)
if (!fuzzer) throw new Error(`there is no fuzzer "${name}"`)
parentPort?.postMessage('ready')
/** Inputs of one seed: fast-check keeps something of each. */
const ROUND = 10_000
const found = { taken: 0, refused: 0, failure: undefined as string | undefined }
for (let done = 0, round = 0; done < count && !found.failure; round++) {
  const inputs = Math.min(ROUND, count - done)
  const { taken, refused, failure } = await fuzz(fuzzer, seed + round, inputs, () => Atomics.add(progress, 0, 1))
  found.taken += taken
  found.refused += refused
  found.failure = failure
  done += inputs
}
parentPort?.postMessage(found)
