import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import * as assert from 'uvu/assert'
import { ArgumentError, byref, c_int, RoutineNotFoundError, readHeader, SessionPool } from 'zugbruecke'
import { dll, rejects, sessionSuite, throws } from '../support.js'

const test = sessionSuite('headers that are read once, for all threads')
const arch = process.env.ZUGBRUECKE_ARCH === 'win32' ? 'win32' : 'win64'
const text = `
  #define STEP 40
  typedef struct { int x, y; } point;
  typedef struct box { point left, *right; } box;
  int add(int a, int b);
  int move(box *which, point by);
  int same_pointer(point *p);
`
const read = () => readHeader(text, { arch })

test('a thread that joined takes what another thread has read', async ({ session }) => {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    import { CtypesSession } from '${import.meta.resolve('zugbruecke')}'
    const { header, port, dll } = workerData
    const session = await CtypesSession.attach(port)
    const { add } = session.CDLL(dll).declare(header)
    const { types, constants } = session.header(header)
    parentPort.postMessage([add.sync(2, constants.STEP), new types.point(1, 2).y, types.box.fields.right.offset])
  `
  const port = session.port()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { header: await read(), port, dll: dll('numbers') },
    transferList: [port],
    execArgv: [],
  })
  assert.equal((await once(worker, 'message'))[0], [42, 2, 8])
})

test('so does a job, of a session and of a pool', async ({ session }) => {
  const job = new URL('../life/jobs/headers.mjs', import.meta.url)
  const input = { header: await read(), dll: dll('numbers') }
  const expected = { sum: 42, right: 8, x: 1, name: 'move' }
  assert.equal(await session.runJob(job, input), expected)
  await using pool = await SessionPool.start({ size: 1, arch })
  assert.equal([await pool.run(job, input), await pool.run(job, input)], [expected, expected])
})

test('declare and header give what goes together, with what was read as text, too', async ({ session }) => {
  const header = await read()
  const numbers = session.CDLL(dll('numbers'))
  const { same_pointer, nowhere, move } = numbers.declare(header)
  const { types } = session.header(structuredClone(header))
  assert.is(session.header(header).types.point, types.point)
  const point = types.point as NonNullable<typeof types.point>
  assert.is.not(await same_pointer?.(byref(new point(1, 2) as never)), 0)
  assert.is(session.header(`${text} int more;`).types.point, point)
  assert.is(nowhere, undefined)
  await rejects(move?.(null, new point(1, 2)) as Promise<unknown>, RoutineNotFoundError, 'move')
})

test('what is wrong with a text is said by who reads it', async ({ session }) => {
  const wrong = await rejects(
    readHeader('int f(int a;'),
    ArgumentError,
    'header line 1, column 12: expected "," or ")"',
  )
  assert.is((wrong as ArgumentError & { column?: number }).column, 12)
  await rejects(readHeader(5 as never), ArgumentError, 'readHeader takes C as text')
  await rejects(readHeader(text, { arch: 'arm' as never }), ArgumentError, '"arch" is win64 or win32')
  const other = arch === 'win64' ? 'win32' : 'win64'
  const header = await readHeader(text, { arch: other })
  const message = `this header was read for ${other}, and session "${session.id}" is ${arch}`
  throws(() => session.header(header), ArgumentError, message)
  throws(() => session.header({ ...header, bytes: undefined } as never), ArgumentError, 'a header is C as text')
})

test('a text of any size, and a name of any kind', async ({ session }) => {
  const many = Array.from(
    { length: 3000 },
    (_, i) => `typedef struct { int a; } s${i}; int f${i}(s${i} *given, unsigned flags);\n`,
  )
  const header = await readHeader(`${many.join('')} int constructor(void); struct then { int toString; };`, { arch })
  const { routines, types } = session.header(header)
  assert.is(routines.size, 3001)
  assert.is(routines.get('f2999')?.argtypes.length, 2)
  assert.is(routines.get('constructor')?.restype, c_int)
  assert.equal(Object.keys(types.then?.fields ?? {}), ['toString'])
})

test.run()
