import { Worker, type WorkerOptions } from 'node:worker_threads'

const tsx = import.meta.resolve('tsx/esm/api')

/** A thread that runs a file of TypeScript beside `here`, which Node 20 does not do by itself. */
export function startThread(file: string, here: string, workerData: unknown, options: WorkerOptions = {}): Worker {
  const program = `import { register } from ${JSON.stringify(tsx)}
    register()
    await import(${JSON.stringify(new URL(file, here).href)})`
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  return new Worker(url, { execArgv: [], ...options, workerData })
}
