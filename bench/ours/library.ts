/** The library under test: as it is built, for that is what users run. */
import { Missing } from '../peers/workshop.js'

export type Library = typeof import('../../src/index.js')

export async function loadLibrary(): Promise<Library> {
  const itself: string = 'zugbruecke' // a name that the compiler does not follow: it may not be built yet
  try {
    return (await import(itself)) as Library
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Missing(`it is not built ("npm run build"): ${(cause as Error).message.split('\n')[0]}`)
  }
}
