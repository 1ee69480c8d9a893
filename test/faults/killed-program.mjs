/** A program that brings a session to a moment and is killed there, or goes on for as long as its parent lives. */
import { reach } from './moments.mjs'

const { moment, config, dlls } = JSON.parse(process.argv[2])
process.on('disconnect', () => process.exit(1))
process.send('begins')
const session = reach(moment, config, dlls, promise => void Promise.resolve(promise).catch(() => {}))
await session
process.send('there')
