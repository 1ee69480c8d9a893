/** One set-up at a time: the kernel's file lock, held by a small child, so that it goes with this process however it ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { SetupError } from '../errors.js'

/** `flock` of util-linux, which every Debian has: it prints a line when it has the lock and keeps it until its stdin ends. */
function acquire(path: string, wait: boolean): Promise<ChildProcess | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', [...(wait ? [] : ['-n']), path, '-c', 'echo locked; exec cat >/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    child.stdin.on('error', () => {})
    child.once('error', cause =>
      reject(new SetupError('flock was not found: install util-linux (apt-get install util-linux).', { cause })),
    )
    child.stdout.once('data', () => resolve(child))
    child.once('exit', () => resolve(undefined))
  })
}

/** Runs `work` while holding the lock; `onWait` is told when another holds it. */
export async function withLock<T>(path: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  let holder = await acquire(path, false)
  if (!holder) {
    onWait()
    holder = await acquire(path, true)
  }
  if (!holder) throw new SetupError(`${path} could not be locked.`)
  try {
    return await work()
  } finally {
    holder.stdin?.end()
  }
}
