/**
 * Not a thread but a program: ends what is left of the sessions with the mark that is its argument, once the program that had them
 * cannot do so any more. Started by the guard (guard.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { continuePrograms, endPrograms } from '../src/channel/descendants.js'

/** For hosts to run the clean-up of their DLLs, in milliseconds: as long as they take for it themselves. */
const PATIENCE = 1000

const mark = process.argv[2]
if (!mark) throw new Error('sweep.js is given a mark: it is the package that starts it')
// a host that has been stopped does not hear that it is to go
continuePrograms(mark)
await sleep(PATIENCE)
endPrograms(mark)
