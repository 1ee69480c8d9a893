/** Unpacks the part of a zip (or jar) that holds python.exe. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { unzipSync } from 'fflate'
import { SetupError } from '../errors.js'
import type { Step } from './progress.js'

/** Beside python.exe in a jar, of no use here, and two thirds of its size. */
const unneeded =
  /^(bin|include|libs|share|lib\/(test|idlelib|tkinter|turtledemo|ensurepip|pip[^/]*))\/|^jni|__pycache__/

/** Writes everything that lies beside python.exe in the archive into `folder`. */
export async function unpackPython(archive: string, folder: string, step: Step): Promise<void> {
  const zip = await readFile(archive)
  let root = ''
  let files: [string, Uint8Array][]
  try {
    const names: string[] = []
    unzipSync(zip, { filter: ({ name }) => names.push(name) < 0 })
    const python = names.filter(name => /(^|\/)python\.exe$/.test(name)).sort((a, b) => a.length - b.length)[0]
    if (python === undefined) throw new SetupError(`${archive} holds no python.exe.`)
    root = python.slice(0, -'python.exe'.length)
    const wanted = (name: string) =>
      name.startsWith(root) && !name.endsWith('/') && !unneeded.test(name.slice(root.length))
    files = Object.entries(unzipSync(zip, { filter: ({ name }) => wanted(name) }))
  } catch (error) {
    if (error instanceof SetupError) throw error
    throw new SetupError(`${archive} is not a whole zip file: ${(error as Error).message}`, { cause: error })
  }
  let done = 0
  for (const [name, content] of files) {
    const path = resolve(join(folder, name.slice(root.length)))
    if (!path.startsWith(resolve(folder) + sep))
      throw new SetupError(`${archive} has a file outside of its folder: ${name}`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    step.advance(++done, files.length)
  }
}
