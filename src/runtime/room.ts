/** Whether there is room on the disk. */
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SetupError } from '../errors.js'

/** A disk that fills up in the middle of it makes Wine fail with words of its own, or wait. Throws SetupError. */
export async function needRoom(what: string, gigabytes: number, target: string): Promise<void> {
  let folder = target
  while (!existsSync(folder)) folder = dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  const free = (bavail * bsize) / 1e9
  if (free < gigabytes)
    throw new SetupError(
      `${what} takes ${gigabytes} GB, and where ${target} is to be ${free.toFixed(1)} GB are left. Free some there, or name another folder in XDG_CACHE_HOME.`,
    )
}
