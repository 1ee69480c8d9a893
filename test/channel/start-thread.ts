import { Worker, type WorkerOptions } from 'node:worker_threads'

/** A thread that runs a file of TypeScript beside `here`, or what `npm test` has made of it: Node 20 reads no TypeScript by itself. */
export function startThread(file: string, here: string, workerData: unknown, options: WorkerOptions = {}): Worker {
  const all = { execArgv: [], ...options, workerData }
  if (import.meta.url.endsWith('.js')) return new Worker(new URL(file.replace(/\.ts$/, '.js'), here), all)
  const program = `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}
    register()
    await import(${JSON.stringify(new URL(file, here).href)})`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), all)
}
