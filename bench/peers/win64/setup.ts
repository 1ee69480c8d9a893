/** This library with 64-bit sessions, in a program of its own: what a run of 32 bits is held against. */
import { join } from 'node:path'
import type { PeerCommand } from '../peer.js'
import { BENCH } from '../workshop.js'

export async function setup(quick: boolean): Promise<PeerCommand> {
  const args = ['--import', 'tsx', join(BENCH, 'peers/win64/peer.ts'), ...(quick ? ['quick'] : [])]
  return { command: process.execPath, args, env: { ...process.env, ZUGBRUECKE_ARCH: 'win64' } }
}
