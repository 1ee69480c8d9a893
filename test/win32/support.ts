/** What the suites of 32-bit sessions share. */
import type { CtypesSession, Library } from 'zugbruecke'
import { dll } from '../dlls/build.js'

export { rejects, sessionSuite, throws } from '../session/support.js'

export const old32 = (): string => dll('old32', 'win32')
export const openOld32 = (session: CtypesSession): Library => session.CDLL(old32())
