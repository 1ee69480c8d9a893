/** Plain ctypes in the same Windows Python on Wine. */
import { join } from 'node:path'
import type { PeerCommand } from '../peer.js'
import { BENCH, benchDll, preparePrefix, prepareWindowsPython, type Say, windowsPath } from '../workshop.js'

export async function setup(say: Say): Promise<PeerCommand> {
  const { loader, env } = await preparePrefix(say)
  const python = await prepareWindowsPython(say)
  const args = ['-I', '-S', join(BENCH, 'peers/ctypes/peer.py'), join(BENCH, 'peers'), benchDll()].map((arg, i) =>
    i < 2 ? arg : windowsPath(arg),
  )
  return { command: loader, args: [python, ...args], env }
}
