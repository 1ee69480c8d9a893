/** The library under test: as it is built, for that is what users run. */
import { benchArch, Missing } from '../peers/workshop.js'

export type Library = typeof import('../../src/index.js')

export async function loadLibrary(): Promise<Library> {
  // names that the compiler does not follow: it may not be built yet
  const [itself, narrow]: string[] = ['zugbruecke', 'zugbruecke/win32']
  try {
    const all = (await import(itself)) as Library
    return benchArch() === 'win32' ? { ...all, ...((await import(narrow)) as object) } : all
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Missing(`it is not built ("npm run build"): ${(cause as Error).message.split('\n')[0]}`)
  }
}
