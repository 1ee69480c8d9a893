/** Which descriptors of this process a program that it starts has as well. */
import { fstatSync, readdirSync } from 'node:fs'
import { libc } from './libc.js'

const F_GETFD = 1
const F_SETFD = 2
const FD_CLOEXEC = 1
const STANDARD = 3

/**
 * What `start` starts is handed nothing but what it names. Node marks what it opens itself, but not what it was started with: a
 * listening socket of systemd's, a lock of a script's. Other threads that start something at this very moment keep such to
 * themselves as well.
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
    // another thread may have closed it meanwhile, and the number be that of something that is nobody else's
    for (const [fd, file] of marked) if (file !== undefined && fileOf(fd) === file) libc().fcntl(fd, F_SETFD, 0)
  }
}

/** What a descriptor is open on; undefined where it is closed. */
function fileOf(fd: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
