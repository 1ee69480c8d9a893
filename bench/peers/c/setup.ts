/** The limit: C loops inside the DLL, in a Windows program of their own. */
import type { PeerCommand } from '../peer.js'
import { buildLimit, preparePrefix, type Say } from '../workshop.js'

export async function setup(say: Say): Promise<PeerCommand> {
  const { loader, env } = await preparePrefix(say)
  return { command: loader, args: [await buildLimit()], env }
}
