#!/usr/bin/env node
/**
 * The command line: each command is a thin face of something that programs can call too.
 * Results go to stdout, progress and errors to stderr; 0 is success, 1 a failure, 2 a wrong use.
 */
import '../runtime/node-version.js'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { ZugbrueckeError } from '../errors.js'
import { type Arch, type Config, parameterNames, type ResolvedConfig, resolveConfig } from '../runtime/config.js'
import { type Check, diagnose } from '../runtime/doctor.js'
import { cacheFolder, findPython, findWine, findWineserver, prefixFolder } from '../runtime/locate.js'
import { packageVersion } from '../runtime/package.js'
import { type PeHeader, readPe, readPeHeader, sessionArch } from '../runtime/pe.js'
import { assertPlatform } from '../runtime/platform.js'
import { stopServices } from '../runtime/prefix.js'
import { setUp, wineVersion } from '../runtime/setup.js'
import { CallArguments } from './arguments.js'
import { terminalProgress } from './progress.js'
import { prompt } from './repl.js'
import { type Library, library, openSession, type Routine, startSession } from './sessions.js'
import { toJson } from './text.js'
import type { WorkerFlags } from './worker.js'

interface Options {
  readonly arch?: Arch | 'auto'
  readonly json?: boolean
  readonly convention?: 'cdll' | 'windll' | 'oledll'
}

/** What the options say of a session; nothing of its architecture where a DLL that is to tell it is none of the user's files. */
function given({ arch = 'auto' }: Options, dll?: string): Partial<Config> {
  if (arch !== 'auto') return { arch }
  const file = dll === undefined ? undefined : ownFile(dll)
  return file === undefined ? {} : { arch: sessionArch(file, readPeHeader(file)) }
}
const ownFile = (dll: string) => [dll, `${dll}.dll`].find(path => existsSync(path))
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const program = new Command('zugbruecke')
  .description('Calls routines of Windows DLLs from Node.js on Linux, through Wine.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for help)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Everything is kept in ${cacheFolder()}; to be rid of it, run "zugbruecke stop" and remove that folder.
Parameters come from ZUGBRUECKE_<NAME>, ./.zugbruecke.json, ~/.zugbruecke.json and /etc/zugbruecke.json.`,
  )

const arch = () => new Option('--arch <arch>', 'of the Windows side').choices(['win64', 'win32'])
/** Of commands that are given a DLL. */
const archOrAuto = () =>
  new Option('--arch <arch>', "of the Windows side; auto: the DLL's, as its header tells")
    .choices(['auto', 'win64', 'win32'])
    .default('auto')
const json = () => new Option('--json', 'print JSON')

program
  .command('setup')
  .description('get Wine, a Wine prefix and Windows Python (about 1 GB); does only what is missing')
  .addOption(arch())
  .addOption(json())
  .action(async (options: Options) => {
    const result = await setUp(resolveConfig(given(options)), terminalProgress)
    if (options.json) return print(toJson(result))
    const { wine, python, installation, seconds } = result
    print(`Ready after ${seconds.toFixed(1)} s: ${wine}, Windows Python ${python} (${installation.arch}).`)
  })

program
  .command('doctor')
  .description('look at everything a session needs, and say how to mend what is missing')
  .argument('[dll]', 'look at what a session for this DLL needs')
  .addOption(archOrAuto())
  .addOption(json())
  .addHelpText('after', '\nExit code 0 only if a session can start.')
  .action(async (dll: string | undefined, options: Options) => {
    const show = ({ name, ok, found, mend, needed }: Check) => {
      print(`${ok ? (needed ? 'ok     ' : 'info   ') : 'MISSING'} ${name}: ${found}`)
      if (mend) print(`        → ${mend}`)
    }
    const { ok, checks } = await diagnose(
      resolveConfig(given(options, dll)),
      trySession,
      options.json ? undefined : show,
    )
    if (options.json) print(toJson({ ok, checks }))
    else print(ok ? 'A session can start.' : 'A session cannot start.')
    process.exitCode = ok ? 0 : 1
  })

async function trySession({ arch }: ResolvedConfig): Promise<string> {
  const from = performance.now()
  const session = await startSession({ arch })
  const took = performance.now() - from
  const { pid } = session
  await session.terminate()
  return `started in ${took.toFixed(0)} ms (process ${pid}) and ended`
}

const archs = ({ arch = 'auto' }: Options): readonly Arch[] => (arch === 'auto' ? ['win64', 'win32'] : [arch])

program
  .command('stop')
  .description("end every session of the prefix, and Wine's services, at once")
  .addOption(arch())
  .addOption(json())
  .action(async (options: Options) => {
    const stopped: string[] = []
    for (const arch of archs(options)) {
      const config = resolveConfig({ arch })
      const prefix = prefixFolder(config)
      const wine = findWine(config)
      const wineserver = wine && findWineserver(wine)
      if (!wine || !wineserver || !existsSync(prefix) || stopped.includes(prefix)) continue
      if (await stopServices({ wine, wineserver, prefix })) stopped.push(prefix)
    }
    if (options.json) print(toJson({ stopped }))
    else print(stopped.length > 0 ? `Stopped: ${stopped.join(', ')}` : 'Nothing ran.')
  })

program
  .command('env')
  .description('print paths, versions and parameters, and where each came from')
  .addOption(arch())
  .addOption(json())
  .action(async (options: Options) => {
    const config = resolveConfig(given(options))
    const wine = findWine(config)
    const python = findPython(config)
    const paths = {
      zugbruecke: packageVersion(),
      node: process.versions.node,
      cache: cacheFolder(),
      wine: wine ?? null,
      wineVersion: wine ? await wineVersion(wine) : null,
      wineserver: (wine && findWineserver(wine)) ?? null,
      prefix: prefixFolder(config),
      python: python?.path ?? null,
      pythonVersion: python?.version ?? null,
    }
    if (options.json) return print(toJson({ ...paths, parameters: config }))
    for (const [name, value] of Object.entries(paths)) print(`${name.padEnd(14)} ${value ?? '(not found)'}`)
    print('')
    for (const name of parameterNames)
      print(`${name.padEnd(14)} ${toJson(config[name]).replaceAll('\n', '')}  (${config.sources[name]})`)
  })

const callExamples = `
Examples:
  zugbruecke call msvcrt 'double pow(double, double)' 2 10
  zugbruecke call my.dll 'double mean(const double *, int)' '[1, 2, 6]' 3
  zugbruecke call my.dll 'void sort(int *, int)' '[3, 1, 2]' 3       what an argument became follows the result
  zugbruecke call msvcrt 'double modf(double, out(double))' 2.5      the value of an out parameter follows the result`

program
  .command('call')
  .description('call one routine and print what it returns')
  .argument('<dll>', 'path or name of a DLL')
  .argument('<prototype>', "C prototype, for instance 'int abs(int)'")
  .argument('[args...]', 'numbers, text, true, false, null, or JSON for arrays and structures')
  .addOption(
    new Option('--convention <kind>', 'loader of the DLL').choices(['cdll', 'windll', 'oledll']).default('cdll'),
  )
  .addOption(archOrAuto())
  .addOption(json())
  .addHelpText('after', callExamples)
  .action(async (dll: string, prototype: string, args: string[], options: Options) => {
    const session = await openSession(given(options, dll))
    try {
      const routine = readPrototype(session[loaders[options.convention ?? 'cdll']](dll), prototype)
      const given = new CallArguments(args, routine.argtypes)
      const result = await routine(...given.values)
      const changed = given.changed()
      if (options.json) {
        const beside = changed.length > 0 && { arguments: Object.fromEntries(changed) }
        return print(toJson({ result: result ?? null, ...beside }))
      }
      if (result !== undefined) print(typeof result === 'object' ? toJson(result) : String(result))
      for (const [position, value] of changed) print(`argument ${position}: ${toJson(value)}`)
    } finally {
      await session.terminate()
    }
  })

const loaders = { cdll: 'CDLL', windll: 'WinDLL', oledll: 'OleDLL' } as const

/** What cannot be read as a prototype is a wrong use, as an unknown option is. */
function readPrototype(library: Library, prototype: string): Routine {
  try {
    return library.func(prototype)
  } catch (error) {
    throw Object.assign(error as Error, { wrongUse: true })
  }
}

program
  .command('exports')
  .description('list the routines of a DLL, without loading it')
  .argument('<dll>', 'path of a DLL, or the name of one of Windows (kernel32)')
  .addOption(archOrAuto())
  .addOption(json())
  .action((dll: string, options: Options) => {
    const path = findDll(dll, resolveConfig(given(options)))
    const pe = readPe(path)
    if (options.json) return print(toJson({ path, ...pe }))
    const machine = pe.arch === 'other' ? `machine 0x${pe.machine.toString(16)}` : pe.arch
    print(`${path}: ${kindOf(pe)}, ${machine}, ${pe.exports.length} exports`)
    for (const { ordinal, name, forward } of pe.exports)
      print(`${String(ordinal).padStart(6)}  ${name ?? '(by ordinal)'}${forward ? `  → ${forward}` : ''}`)
  })

const kindOf = ({ isDll, isManaged }: PeHeader) => `${isManaged ? '.NET ' : ''}${isDll ? 'DLL' : 'program'}`

function findDll(dll: string, config: ResolvedConfig): string {
  const own = ownFile(dll) ?? (dll.includes('/') ? dll : undefined)
  if (own) return own
  const folder = join(prefixFolder(config), 'drive_c/windows', config.arch === 'win32' ? 'syswow64' : 'system32')
  const names = [dll, `${dll}.dll`].map(name => join(folder, name.toLowerCase()))
  return names.find(path => existsSync(path)) ?? dll
}

program
  .command('repl')
  .description('a Node.js prompt with a session: cdll, windll, c_int, Structure, …; await works')
  .addOption(arch())
  .action(async (options: Options) => {
    const { default: _default, ...names } = await library()
    const session = await startSession(given(options))
    const { cdll, windll, oledll } = session
    const greeting = `zugbruecke ${packageVersion()}: session ${session.pid}; try: await windll.kernel32.GetCurrentProcessId()`
    const config = resolveConfig(given(options))
    const exportsOf = (dll: string) => readPe(findDll(dll, config)).exports.flatMap(({ name }) => name ?? [])
    const failed = await prompt(greeting, { ...names, session, cdll, windll, oledll }, exportsOf)
    await session.terminate()
    if (failed) process.exitCode = 1
  })

program
  .command('worker')
  .description('run sessions here for the ClusterPools of other machines: takes work from a queue in Redis')
  .addOption(
    new Option(
      '--redis <url>',
      'redis://:password@host:6379/0, rediss:// for TLS (the variable keeps a password out of sight)',
    )
      .env('ZUGBRUECKE_REDIS')
      .makeOptionMandatory(),
  )
  .requiredOption('--queue <name>', 'the queue that clients name')
  .option('--size <n>', 'sessions', wholeNumber, 2)
  .option('--allow-upload', 'take DLLs that clients send, and run all sessions in a sandbox')
  .option('--no-sandbox', 'with --allow-upload: run them as you, who may then be anybody who can write into the queue')
  .option('--jobs <folder>', 'take job modules from this folder alone', '.')
  .option('--lock <seconds>', 'without a sign of life for so long, what it had goes elsewhere', wholeNumber, 10)
  .option('--health <port>', 'say on this port of the loopback address how it is (0: any port)', portNumber)
  .addOption(arch())
  .addHelpText('after', '\nSIGTERM or SIGINT: finishes what it has, and ends; once more: ends at once.')
  .action(async (options: WorkerFlags & Options) => {
    const { runWorker } = await import('./worker.js')
    await runWorker(options)
  })

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a whole number is needed.')
}

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port <= 65_535) return port
  throw new InvalidArgumentError('a port is 65535 at the most.')
}

/** For people: the message says what to do, and a stack of ours would only hide it. */
function fail(error: unknown): void {
  process.exitCode = 1
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  if ((error as { wrongUse?: true } | undefined)?.wrongUse) process.exitCode = 2
  if (!(error instanceof ZugbrueckeError)) return void process.stderr.write(`${(error as Error)?.stack ?? error}\n`)
  if (process.argv.includes('--json')) print(toJson({ error: { ...error, message: error.message } }))
  process.stderr.write(`zugbruecke: ${error.message}\n`)
}

// `zugbruecke exports … | head` closes our stdout early: that is no error.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit()
  throw error
})

try {
  assertPlatform()
  await program.parseAsync()
} catch (error) {
  fail(error)
}
