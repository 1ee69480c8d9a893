/** Everything that is measured on our own side. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { halfACore } from '../../test/half-a-core.js'
import type { Measure, Sample } from '../model.js'
import { onOneCore } from '../peers/affinity.js'
import { BENCH, Missing } from '../peers/workshop.js'
import type { CallName, Prepared } from './calls.mjs'
import { clusterMeasures } from './cluster.js'
import { joinedThread } from './joined-thread.js'
import { type Library, loadLibrary } from './library.js'
import { sliceAsync, sliceSync } from './slice.mjs'
import { type Way, ways } from './ways.mjs'

export interface Ours {
  readonly measures: readonly Measure[]
  readonly versions: Readonly<Record<string, string>>
  close(): Promise<void>
}

const ADD = 'int add_int(int a, int b)'
const ITERATE = 'double iterate(double x, int steps)'
const CALLS_JOB = new URL('../jobs/calls.mjs', import.meta.url)
const COUNT_JOB = new URL('../jobs/count.mjs', import.meta.url)
const BATCH_ROWS = 1_000_000
const WORK_ROWS = 100_000
const STEPS = 500
const STRUCTURES = 100_000
const ROW_SIZE = 40
const WAYS: Readonly<Record<Way, string>> = { sync: '.sync', awaited: 'awaited', together: '1000 at once' }
/** Milliseconds for which sessions work before they are measured together. */
const SETTLE = 300
const CRASH_ROWS = 10_000
const CRASH_EVERY = 100
const CHUNK_ROWS = 32_768
/** Chunks that the stream's producer takes turns with, so that it makes none while it is timed. */
const CHUNKS = 16

function check(right: boolean, what: string): void {
  if (!right) throw new Error(`${what} is wrong`)
}

function columns(rows: number): [Int32Array, Int32Array] {
  return [Int32Array.from({ length: rows }, (_, i) => i), Int32Array.from({ length: rows }, (_, i) => 2 * i)]
}

/** What `iterate` of the DLL does. */
function logistic(x: number): number {
  for (let i = 0; i < STEPS; i++) x = 3.7 * x * (1 - x)
  return x
}

/** Repeats what gives its own figure (µs for one) until the time is over, once at least; the mean of them. */
async function repeat(seconds: number, work: () => Promise<number>): Promise<Sample> {
  const values: number[] = []
  const end = performance.now() + seconds * 1000
  do values.push(await work())
  while (performance.now() < end)
  return { value: values.reduce((a, b) => a + b) / values.length, extra: { repetitions: values.length } }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) * 1000
}

async function child(...args: readonly string[]): Promise<Record<string, number>> {
  return childWith(() => {}, ...args)
}

/** `begun` is told its process before it has done anything. */
async function childWith(begun: (pid: number) => void, ...args: readonly string[]): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, ['--expose-gc', join(BENCH, 'children/session.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    })
    if (process_.pid !== undefined) begun(process_.pid)
    let out = ''
    let err = ''
    process_.stdout.on('data', chunk => {
      out += chunk
    })
    process_.stderr.on('data', chunk => {
      err += chunk
    })
    process_.on('close', code => {
      if (code === 0) resolve(JSON.parse(out) as Record<string, number>)
      else reject(new Missing(err.trim().split('\n').slice(-3).join(' / ') || `ended with ${code}`))
    })
  })
}

export async function startOurs(dllPath: string, quick: boolean): Promise<Ours> {
  const library: Library = await loadLibrary()
  const { DOUBLES, prepare } = await import('./calls.mjs')
  const { CtypesSession, SessionPool } = library
  // one for the calls, and one for those that are given callbacks, so that no other row depends on them
  const [session, hearing] = await Promise.all([CtypesSession.start(), CtypesSession.start()])
  const [single, pair] = await Promise.all([SessionPool.start({ size: 1 }), SessionPool.start({ size: 2 })])
  const dll = await session.cdll.LoadLibrary(dllPath)
  const hearingDll = await hearing.cdll.LoadLibrary(dllPath)
  const add = dll.func<[number, number], number>(ADD)
  const hostOfSingle = await single.use(async borrowed => borrowed.pid)
  const mebibyteColumns = columns(BATCH_ROWS)

  const measures: Measure[] = []
  const define = (measure: Omit<Measure, 'side' | 'unit'> & Partial<Pick<Measure, 'unit'>>) => {
    measures.push({ side: 'zugbruecke', unit: 'us', ...measure })
  }

  const job = (name: CallName, seconds: number) =>
    single.run(CALLS_JOB, { dll: dllPath, name, seconds }) as Promise<Sample>
  /** A call from this thread by `.sync`, made when first wanted. */
  const synchronous = (name: CallName) => {
    let prepared: Prepared | undefined
    const [of, its] = name === 'callback' || name === 'filter' ? [hearing, hearingDll] : [session, dll]
    return async (seconds: number) => {
      prepared ??= prepare(of, its, name, made => made.sync)
      return sliceSync(prepared.call, seconds, prepared.inner)
    }
  }
  const { awaited, together } = ways(add)
  const addSync = synchronous('add')

  // --- two ints in, one out: every way to make the call
  check((await add(3, 4)) === 7, 'add_int')
  define({ id: 'add-awaited', group: 'add', label: 'awaited', run: awaited })
  define({ id: 'add-sync', group: 'add', label: '.sync', run: addSync })
  define({ id: 'add-job', group: 'add', label: 'in a job', run: seconds => job('add', seconds) })
  const pinned = [process.pid, session.pid, hostOfSingle].filter(pid => pid !== undefined)
  define({
    id: 'add-awaited-pinned',
    group: 'add',
    label: 'awaited, one core',
    run: seconds => onOneCore(pinned, () => awaited(seconds)),
  })
  define({
    id: 'add-sync-pinned',
    group: 'add',
    label: '.sync, one core',
    run: seconds => onOneCore(pinned, () => addSync(seconds)),
  })
  define({
    id: 'add-job-pinned',
    group: 'add',
    label: 'in a job, one core',
    run: seconds => onOneCore(pinned, () => job('add', seconds)),
  })
  define({
    id: 'add-1000',
    group: 'add',
    label: '1000 at once',
    run: together,
  })
  define({
    id: 'add-batch',
    group: 'add',
    label: 'batch of 10⁶',
    run: seconds =>
      sliceAsync(
        async () => {
          const results = await add.batch(mebibyteColumns)
          check(results[BATCH_ROWS - 1] === 3 * (BATCH_ROWS - 1), 'batch')
        },
        seconds,
        BATCH_ROWS,
      ),
  })
  const into = new Int32Array(BATCH_ROWS)
  define({
    id: 'add-batch-into',
    group: 'add',
    label: 'batch of 10⁶ into the same array',
    run: seconds =>
      sliceAsync(
        async () => {
          await add.batch(mebibyteColumns, { results: into })
          check(into[BATCH_ROWS - 1] === 3 * (BATCH_ROWS - 1), 'batch')
        },
        seconds,
        BATCH_ROWS,
      ),
  })
  // --- columns in memory that both sides see: nothing is copied
  const placed = [session.memory.array(Int32Array, BATCH_ROWS), session.memory.array(Int32Array, BATCH_ROWS)] as const
  for (const [i, column] of placed.entries()) column.set(mebibyteColumns[i])
  const sums = session.memory.array(Int32Array, BATCH_ROWS)
  define({
    id: 'add-batch-placed',
    group: 'add',
    label: 'batch of 10⁶, columns and results of memory.array',
    run: seconds =>
      sliceAsync(
        async () => {
          const results = await add.batch([...placed], { results: sums })
          check(results[BATCH_ROWS - 1] === 3 * (BATCH_ROWS - 1), 'batch')
        },
        seconds,
        BATCH_ROWS,
      ),
  })
  // --- the same where more goes on: from a joined thread, beside a callback that the DLL may call, inside one that is open
  const other = joinedThread(session.port(), dllPath)
  const kept = hearingDll.func(
    'call_many',
    [library.CFUNCTYPE(library.c_int, library.c_int), library.c_int],
    library.c_int64,
  )
  const callback = library.CFUNCTYPE(library.c_int, library.c_int)(i => 2 * i)
  await kept(callback, 1)
  const beside = ways(hearingDll.func<[number, number], number>(ADD))
  for (const [way, label] of Object.entries(WAYS) as [Way, string][]) {
    define({
      id: `add-joined-${way}`,
      group: 'add',
      label: `${label}, from a joined thread`,
      run: seconds => other.run(way, seconds),
    })
    define({
      id: `add-hearing-${way}`,
      group: 'add',
      label: `${label}, in a session with a callback`,
      run: async seconds => beside[way](seconds),
    })
  }
  define({
    id: 'add-inside-sync',
    group: 'add',
    label: '.sync, inside a callback',
    async run(seconds) {
      let sample: Sample | undefined
      await kept(i => {
        sample = beside.sync(seconds)
        return i
      }, 1)
      return sample as unknown as Sample
    },
  })
  const streamRows = quick ? 10_000_000 : 100_000_000
  define({
    id: 'add-stream',
    group: 'add',
    label: `stream of ${quick ? '10⁷' : '10⁸'}`,
    rounds: 3,
    async run() {
      const chunks = Array.from({ length: CHUNKS }, () => columns(CHUNK_ROWS))
      function* produce() {
        for (let done = 0, i = 0; done < streamRows; done += CHUNK_ROWS, i++) yield chunks[i % CHUNKS]
      }
      const before = process.memoryUsage().rss
      let rows = 0
      let rss = before
      const us = await timed(async () => {
        let received = 0
        for await (const results of add.batch.stream(produce())) {
          rows += results.length
          if (received++ % 64 === 0) rss = Math.max(rss, process.memoryUsage().rss)
        }
      })
      check(rows >= streamRows, 'number of rows of the stream')
      return { value: us / rows, extra: { rows, grown_mb: (rss - before) / 2 ** 20 } }
    },
  })
  const pools = [
    [single, 1, 'one session'],
    [pair, 2, 'two sessions'],
  ] as const
  for (const [pool, size, sessions] of pools) {
    define({
      id: `add-map-${size}`,
      group: 'add',
      label: `pool.map, ${sessions}`,
      run: seconds =>
        sliceAsync(
          async () => {
            const results = (await pool.map(dllPath, ADD, mebibyteColumns)) as ArrayLike<number>
            check(results[BATCH_ROWS - 1] === 3 * (BATCH_ROWS - 1), 'pool.map')
          },
          seconds,
          BATCH_ROWS,
        ),
    })
  }

  // --- a routine that is worth more than the copying of its arguments: here more sessions use more cores
  const seeds = Float64Array.from({ length: WORK_ROWS }, (_, i) => (i + 0.5) / WORK_ROWS)
  const iterated = (results: unknown) => check((results as Float64Array)[7] === logistic(seeds[7]), 'iterate')
  const iterate = dll.func<[number, number], number>(ITERATE)
  define({
    id: 'work-batch',
    group: 'work',
    label: 'batch of 10⁵',
    run: seconds => sliceAsync(async () => iterated(await iterate.batch([seeds, STEPS])), seconds, WORK_ROWS),
  })
  for (const [pool, size, sessions] of pools) {
    define({
      id: `work-map-${size}`,
      group: 'work',
      label: `pool.map, ${sessions}`,
      run: seconds =>
        sliceAsync(async () => iterated(await pool.map(dllPath, ITERATE, [seeds, STEPS])), seconds, WORK_ROWS),
    })
  }

  // --- the same call by all the ways that differ
  for (const name of ['ten', 'fields', 'doubles', 'callback', 'filter'] as const) {
    define({ id: `${name}-job`, group: name, label: 'in a job', run: seconds => job(name, seconds) })
    define({ id: `${name}-sync`, group: name, label: '.sync', run: synchronous(name) })
  }
  define({
    id: 'callback-awaited',
    group: 'callback',
    label: 'awaited',
    async run(seconds) {
      const many = hearingDll.func(
        'call_many',
        [library.CFUNCTYPE(library.c_int, library.c_int), library.c_int],
        library.c_int64,
      )
      return sliceAsync(() => many(i => 2 * i, 100), seconds, 100)
    },
  })

  const doubles = session.memory.array(Float64Array, DOUBLES)
  const negate = dll.func('negate', [library.POINTER(library.c_double), library.c_int], null)
  define({
    id: 'doubles-placed',
    group: 'doubles',
    label: '.sync, of memory.array',
    run: async seconds => {
      doubles[9] = 9
      negate.sync(doubles, DOUBLES)
      check(doubles[9] === -9, 'negate')
      return sliceSync(() => negate.sync(doubles, DOUBLES), seconds)
    },
  })

  const structures = new Uint8Array(STRUCTURES * ROW_SIZE)
  class Row extends library.Structure({
    x: library.c_double,
    y: library.c_double,
    z: library.c_double,
    id: library.c_int32,
    flags: library.c_int32,
    sum: library.c_int64,
  }) {}
  const step = dll.func('step_row', [library.POINTER(Row)], null)
  const placedRows = session.memory.array(Row, STRUCTURES)
  define({
    id: 'rows-batch-placed',
    group: 'rows',
    label: `batch of ${STRUCTURES / 1000} 000, of memory.array`,
    async run(seconds) {
      placedRows[1].x = 1.5
      const sample = await sliceAsync(() => step.batch([placedRows]), seconds, STRUCTURES)
      check(placedRows[1].z === 1.5, 'step_row')
      return sample
    },
  })
  define({
    id: 'rows-batch',
    group: 'rows',
    label: `batch of ${STRUCTURES / 1000} 000`,
    async run(seconds) {
      new DataView(structures.buffer).setFloat64(ROW_SIZE, 1.5, true)
      const sample = await sliceAsync(() => step.batch([structures]), seconds, STRUCTURES)
      check(new DataView(structures.buffer).getFloat64(ROW_SIZE + 16, true) === 1.5, 'step_row')
      return sample
    },
  })

  define({
    id: 'crash-batch',
    group: 'crash',
    label: 'batch, every 100th row',
    async run(seconds) {
      const crash = dll.func<[number, number], number>('int crash_every(int i, int every)')
      const rows = Int32Array.from({ length: CRASH_ROWS }, (_, i) => i + 1)
      const batch = async (every: number, crashes: number) => {
        const { errors } = await crash.batch([rows, every], { detail: true })
        check(errors.length === crashes, 'number of crashes')
      }
      const crashes = CRASH_ROWS / CRASH_EVERY
      return repeat(seconds, async () => {
        const without = await timed(() => batch(CRASH_ROWS + 1, 0))
        return ((await timed(() => batch(CRASH_EVERY, crashes))) - without) / crashes
      })
    },
  })

  // --- many sessions
  for (const count of quick ? [1, 2, 4] : [1, 2, 4, 8, 16]) {
    const sessions = `${count} session${count > 1 ? 's' : ''}`
    define({
      id: `curve-job-${count}`,
      group: 'curve',
      label: `jobs, ${sessions}`,
      unit: '/s',
      rounds: quick ? 1 : 3,
      async run(seconds) {
        const pool = await SessionPool.start({ size: count })
        try {
          const work = (from: number, length: number) =>
            Promise.all(
              Array.from(
                { length: count },
                () => pool.run(COUNT_JOB, { dll: dllPath, from, seconds: length }) as Promise<number>,
              ),
            )
          const now = () => performance.timeOrigin + performance.now()
          // each thread loads what jobs need, and compiles it: V8 takes a few jobs for that, not one long one
          for (let i = 0; i < 4; i++) await work(now(), 0.1 * count)
          const all = await work(now() + SETTLE, seconds)
          return { value: all.reduce((sum, calls) => sum + calls, 0) / seconds }
        } finally {
          await pool.close()
        }
      },
    })
    define({
      id: `curve-awaited-${count}`,
      group: 'curve',
      label: `awaited, ${sessions}`,
      unit: '/s',
      rounds: quick ? 1 : 3,
      async run(seconds) {
        const all = await Promise.all(Array.from({ length: count }, () => CtypesSession.start()))
        try {
          const adds = await Promise.all(
            all.map(async one => (await one.cdll.LoadLibrary(dllPath)).func<[number, number], number>(ADD)),
          )
          let calls = 0
          const start = performance.now() + SETTLE
          await Promise.all(
            adds.map(async one => {
              while (performance.now() - start < seconds * 1000) {
                await one(3, 4)
                if (performance.now() >= start) calls++
              }
            }),
          )
          return { value: (calls / (performance.now() - start)) * 1000 }
        } finally {
          await Promise.all(all.map(one => one.terminate()))
        }
      },
    })
  }

  // --- a session's life
  define({
    id: 'start',
    group: 'start',
    label: 'in a running program',
    run: async () => {
      let started: Awaited<ReturnType<typeof CtypesSession.start>> | undefined
      const us = await timed(async () => {
        started = await CtypesSession.start()
        await started.windll.kernel32.func('GetCurrentProcessId', [], library.c_ulong)()
      })
      await started?.terminate()
      return { value: us }
    },
  })
  define({
    id: 'start-call',
    group: 'start',
    label: 'first call of a new session, its DLL loaded',
    run: async () => {
      const started = await CtypesSession.start()
      const us = await timed(async () => {
        const fresh = await started.cdll.LoadLibrary(dllPath)
        await fresh.func<[number, number], number>(ADD)(3, 4)
      })
      await started.terminate()
      return { value: us }
    },
  })
  const replaced = (spare: number) => async () => {
    const pool = await SessionPool.start({ size: 1, spare })
    try {
      const died = pool.use(async borrowed => {
        if (borrowed.pid !== undefined) process.kill(borrowed.pid, 'SIGKILL')
        await borrowed.windll.kernel32.func('GetCurrentProcessId', [], library.c_ulong)()
      })
      await died.catch(() => {})
      const us = await timed(() =>
        pool.use(borrowed => borrowed.windll.kernel32.func('GetCurrentProcessId', [], library.c_ulong)()),
      )
      return { value: us }
    } finally {
      await pool.close()
    }
  }
  define({
    id: 'start-replaced',
    group: 'start',
    label: 'died in a pool, replaced and answering',
    run: replaced(0),
  })
  define({
    id: 'start-spare',
    group: 'start',
    label: 'died in a pool with a spare session, replaced and answering',
    run: replaced(1),
  })
  for (const [way, label] of Object.entries(WAYS) as [Way, string][]) {
    define({
      id: `half-${way}`,
      group: 'half',
      label,
      rounds: 3,
      run: seconds =>
        halfACore(async put => ({ value: (await childWith(put, 'calls', way, String(seconds * 4), dllPath)).us })),
    })
  }
  define({
    id: 'start-program',
    group: 'start',
    label: 'from starting Node',
    run: async () => {
      const { us } = await child('first-call', String(performance.timeOrigin + performance.now()))
      return { value: us }
    },
  })
  define({
    id: 'memory-windows',
    group: 'memory',
    label: 'Windows side',
    unit: 'MB',
    rounds: 1,
    run: async () => ({ value: (await child('memory', '3')).windows / 1024 }),
  })
  define({
    id: 'memory-node',
    group: 'memory',
    label: 'Node side',
    unit: 'MB',
    rounds: 1,
    run: async () => ({ value: (await child('memory', '3')).here / 1024 }),
  })
  define({
    id: 'idle',
    group: 'idle',
    label: 'processor, both sides',
    unit: '%',
    rounds: 1,
    run: async () => {
      const extra = await child('idle', quick ? '3' : '5')
      return { value: extra.here + extra.windows, extra }
    },
  })

  const cluster = clusterMeasures(dllPath, quick, [single, pair])
  measures.push(...cluster.measures)

  return {
    measures,
    versions: {},
    async close() {
      await other.close()
      await cluster.end()
      await Promise.all([single.close(), pair.close(), session.terminate(), hearing.terminate()])
    },
  }
}
