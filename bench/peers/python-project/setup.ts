/** The Python project, zugbruecke 0.2.1, with the Windows Python of the other peers instead of one it downloads. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { PeerCommand } from '../peer.js'
import {
  BENCH,
  benchDll,
  Missing,
  PREFIX,
  PYTHON_VERSION,
  preparePrefix,
  prepareWindowsPython,
  run,
  type Say,
  WORK,
} from '../workshop.js'

/** typeguard 3 changed what the Python project calls. */
const PACKAGES = ['zugbruecke==0.2.1', 'wenv==0.5.1', 'typeguard<3', 'toml', 'Jinja2']
const VENV = join(WORK, 'venv')
const PINNED_CORE = '0'

async function linuxPython(): Promise<string> {
  for (const name of ['python3', 'python3.11', 'python3.10', 'python3.9', 'python3.8']) {
    const minor = await run(name, ['-c', 'import sys; print(sys.version_info.minor)']).catch(() => '')
    if (Number(minor) >= 8 && Number(minor) <= 11) return name
  }
  throw new Missing('it needs a Python from 3.8 to 3.11 on Linux, and none was found')
}

async function prepareVenv(say: Say): Promise<void> {
  const installed = join(VENV, 'installed')
  if (existsSync(installed)) return
  say('installing the Python project with pip')
  await run(await linuxPython(), ['-m', 'venv', VENV])
  await run(join(VENV, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', ...PACKAGES])
  await writeFile(installed, '')
}

/** What the project's own `wenv init` would have laid out beside the Windows Python. */
async function completeWindowsPython(program: string): Promise<void> {
  const home = dirname(program)
  const pip = join(home, 'Scripts/pip.exe')
  if (existsSync(pip)) return
  const packages = join(home, 'Lib/site-packages')
  await run(join(VENV, 'bin/pip'), [
    'install',
    '-q',
    '--disable-pip-version-check',
    '--no-deps',
    '--target',
    packages,
    'typeguard<3',
  ])
  await mkdir(dirname(pip), { recursive: true })
  // never run: without a file of this name each session would first try to install pip
  await writeFile(pip, '')
}

export async function setup(say: Say, pinned: boolean): Promise<PeerCommand> {
  const { env } = await preparePrefix(say)
  const program = await prepareWindowsPython(say)
  await prepareVenv(say)
  await completeWindowsPython(program)
  const python = join(VENV, 'bin/python')
  const args = [join(BENCH, 'peers/python-project/peer.py'), join(BENCH, 'peers'), benchDll()]
  return {
    command: pinned ? 'taskset' : python,
    args: pinned ? ['-c', PINNED_CORE, python, ...args] : args,
    env: {
      ...env,
      PATH: `${join(VENV, 'bin')}:${env.PATH}`,
      WENV_ARCH: 'win64',
      WENV_PYTHONVERSION: PYTHON_VERSION,
      WENV_WINEPREFIX: PREFIX,
      WENV_OFFLINE: 'true',
      WENV_NO_PTH_FILE: 'true',
      ZUGBRUECKE_ARCH: 'win64',
      ZUGBRUECKE_PYTHONVERSION: PYTHON_VERSION,
    },
  }
}
