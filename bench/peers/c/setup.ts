/** The limit: C loops inside the DLL, in a Windows program of their own. */
import { join } from 'node:path'
import type { PeerCommand } from '../peer.js'
import { buildLimit, preparePrefix, type Say } from '../workshop.js'

export async function setup(say: Say): Promise<PeerCommand> {
  const { wine, env } = await preparePrefix(say)
  return { command: join(wine, 'wine64'), args: [await buildLimit()], env }
}
