// A client as a program of its own, which faults may happen to: maps rows that rest for a moment, each of which gives itself back.
// Says `begun` when a part of them is done, and at the end, as JSON, how many came back and the checksums of what went and what came.
//   node client.mjs URL QUEUE DLL ROWS RETRIES
import { createHash } from 'node:crypto'
import { ClusterPool } from 'zugbruecke/cluster'

const [connection, queue, path, rows, retries] = process.argv.slice(2)
const checksum = values => createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')
const given = Int32Array.from({ length: Number(rows) }, (_, i) => 1 + (((i * 7) % 5) >> 1))
const pool = await ClusterPool.connect({ connection, queue, retries: Number(retries) })
let begun = false
try {
  const results = await pool.map({ path }, 'int rest(int)', [given], {
    chunk: 50,
    onProgress() {
      if (!begun) console.log('begun')
      begun = true
    },
  })
  console.log(JSON.stringify({ rows: results.length, sent: checksum(given), came: checksum(results) }))
} catch (error) {
  console.log(
    JSON.stringify({
      error: error.name,
      message: error.message,
      rows: (error.rows ?? []).reduce((sum, { count }) => sum + count, 0),
    }),
  )
}
await pool.close()
