/** Keeps programs that this process starts from inheriting its descriptors. */
import { fstatSync, readdirSync } from 'node:fs'
import { libc } from './libc.js'

const F_GETFD = 1
const F_SETFD = 2
const FD_CLOEXEC = 1
const STANDARD = 3

/**
 * Runs `start`, so that the process it starts inherits only the descriptors that it passes on by name. Node marks the
 * files that it opens as not inheritable, but not those that it was started with, such as a listening socket of
 * systemd's or a lock of a script's. Processes that other threads start at the same moment do not inherit those either.
 */
export function handingNothingOn<T>(start: () => T): T {
  const marked = readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => fd >= STANDARD && libc().fcntl(fd, F_GETFD, 0) === 0)
    .map(fd => [fd, fileOf(fd)] as const)
  for (const [fd] of marked) libc().fcntl(fd, F_SETFD, FD_CLOEXEC)
  try {
    return start()
  } finally {
    // another thread may have closed the descriptor meanwhile, and its number may be that of a file that must not be
    // inherited
    for (const [fd, file] of marked) if (file !== undefined && fileOf(fd) === file) libc().fcntl(fd, F_SETFD, 0)
  }
}

/** Identifies the file that a descriptor is open on; undefined where it is closed. */
function fileOf(fd: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
