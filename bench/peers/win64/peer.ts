/** Every measure of our own side, taken when its id is asked for; the first line says which there are. */
import { createInterface } from 'node:readline'
import { startOurs } from '../../ours/measures.js'
import { buildDll } from '../workshop.js'

const tell = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)

const ours = await startOurs(await buildDll(), process.argv[2] === 'quick')
tell({ ready: true, measures: ours.measures.map(({ run, ...rest }) => rest) })
for await (const line of createInterface({ input: process.stdin })) {
  const [id, seconds] = line.split(' ')
  try {
    const measure = ours.measures.find(one => one.id === id)
    if (!measure) throw new Error(`there is no measure ${id}`)
    tell({ name: id, value: (await measure.run(Number(seconds))).value })
  } catch (error) {
    tell({ missing: (error as Error).message.split('\n')[0] })
  }
}
await ours.close()
