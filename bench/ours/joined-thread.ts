/** A thread of ours that has joined a session, and is told from here what to measure. It is started when first wanted. */
import { join } from 'node:path'
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Sample } from '../model.js'
import { BENCH } from '../peers/workshop.js'
import type { Way } from './ways.mjs'

export interface JoinedThread {
  run(way: Way, seconds: number): Promise<Sample>
  close(): Promise<void>
}

export function joinedThread(port: MessagePort, dll: string): JoinedThread {
  let worker: Worker | undefined
  return {
    run(way, seconds) {
      worker ??= new Worker(join(BENCH, 'children/joined.mjs'), { workerData: { port, dll }, transferList: [port] })
      const thread = worker
      return new Promise((resolve, reject) => {
        thread.once('error', reject)
        thread.once('message', ({ sample, failure }: { sample?: Sample; failure?: string }) => {
          thread.off('error', reject)
          if (sample) resolve(sample)
          else reject(new Error(failure))
        })
        thread.postMessage({ way, seconds })
      })
    },
    async close() {
      if (worker) await worker.terminate()
      else port.close()
    },
  }
}
