/** What has the core of a session, or will have it once the session is up. */
import { SessionStartError } from '../../errors.js'
import type { SessionCore } from './core.js'

export interface Owner {
  /** Names the session in errors. */
  readonly id: string
  whenReady(): Promise<SessionCore>
  /** The core, if the session is or was up. */
  coreNow(): SessionCore | undefined
}

/** The core for a call that blocks; throws SessionStartError before the session is up. */
export function coreForSync(owner: Owner): SessionCore {
  const core = owner.coreNow()
  if (!core)
    throw new SessionStartError(`session ${owner.id} is not up yet: await session.ready first, or use the awaited call`)
  core.assertAlive()
  return core
}

/** Begins at once if the session is up, so that requests keep the order of the program; otherwise once it is up. */
export function whenUp<R>(owner: Owner, begin: (core: SessionCore) => Promise<R>): Promise<R> {
  const core = owner.coreNow()
  return core ? begin(core) : owner.whenReady().then(begin)
}

/**
 * The same with arguments. If the session is not up yet, what begins later gets `snapshot(args)`, taken now; the
 * promise rejects with what that throws.
 */
export function whenUpWith<A, R>(
  owner: Owner,
  args: A,
  snapshot: (args: A) => A,
  begin: (core: SessionCore, args: A) => Promise<R>,
): Promise<R> {
  const core = owner.coreNow()
  return core ? begin(core, args) : waitWith(owner, args, snapshot, begin)
}

async function waitWith<A, R>(
  owner: Owner,
  args: A,
  snapshot: (args: A) => A,
  begin: (core: SessionCore, args: A) => Promise<R>,
): Promise<R> {
  const copy = snapshot(args)
  return begin(await owner.whenReady(), copy)
}
