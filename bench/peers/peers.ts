/** All peers: set up and started one after the other; one that cannot take part leaves its reason. */
import { setup as setupC } from './c/setup.js'
import { setup as setupCtypes } from './ctypes/setup.js'
import { setup as setupKoffi } from './koffi/setup.js'
import { Peer, type PeerCommand } from './peer.js'
import { setup as setupPythonProject } from './python-project/setup.js'
import { setup as setupWin64 } from './win64/setup.js'
import { benchArch, type Say } from './workshop.js'

/** In this order: the first holds the prefix open for the others. */
const SETUPS = {
  c: setupC,
  ctypes: setupCtypes,
  koffi: setupKoffi,
  python: say => setupPythonProject(say, false),
  'python-pinned': say => setupPythonProject(say, true),
  win64: (_, quick) => setupWin64(quick),
} satisfies Record<string, (say: Say, quick: boolean) => Promise<PeerCommand>>

export type PeerName = keyof typeof SETUPS

/** Those of a run of 32 bits. */
const NARROW: readonly PeerName[] = ['c', 'ctypes', 'win64']

export const PEERS = Object.keys(SETUPS) as readonly PeerName[]

export interface Peers {
  readonly running: ReadonlyMap<PeerName, Peer>
  /** Why a peer that was asked for is not there. */
  readonly missing: ReadonlyMap<PeerName, string>
  close(): Promise<void>
}

export async function startPeers(
  wanted: readonly PeerName[],
  quick: boolean,
  say: (peer: PeerName, line: string) => void,
): Promise<Peers> {
  const running = new Map<PeerName, Peer>()
  const missing = new Map<PeerName, string>()
  for (const name of PEERS) {
    // the limit is there whenever anyone is: it keeps Wine's services up for the rest
    if (!wanted.includes(name) && !(name === 'c' && wanted.length > 0)) continue
    if (benchArch() === 'win64' && name === 'win64') continue // the run itself
    if (benchArch() === 'win32' && !NARROW.includes(name)) {
      missing.set(name, 'it is measured for 64 bits alone')
      continue
    }
    try {
      running.set(name, await Peer.start(await SETUPS[name](line => say(name, line), quick)))
    } catch (error) {
      missing.set(name, (error as Error).message)
    }
  }
  return {
    running,
    missing,
    async close() {
      for (const peer of [...running.values()].reverse()) await peer.close()
    },
  }
}
