/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The first thing an entry file imports: what stands behind it needs functions that an older Node lacks, and would say so in words
 * of its own. (A name that an older Node's modules lack is taken from their default export: a missing import fails earlier still.)
 * The declarations of all entry files come by here as well, and need to know what is disposable, whatever the user's `lib`.
 * The platform is another matter: types and layouts may be used anywhere, sessions say where they run.
 */
import { SetupError } from '../errors.js'
import { nodeProblem } from './platform.js'

const problem = nodeProblem(process.versions.node)
if (problem) throw new SetupError(problem)
