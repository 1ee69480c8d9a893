/**
 * Owns what the windows of a prefix are drawn on. Wine has one driver for all programs of a prefix: `null` makes windows that work and that
 * nobody sees, any other wants a display, and without one gives no windows at all.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError } from '../errors.js'
import type { Config } from './config.js'

/** The part of the registry that has the driver: HKEY_CURRENT_USER\Software\Wine\Drivers, as `user.reg` writes it. */
const SECTION = /^\[Software\\\\Wine\\\\Drivers\][^[]*?^"Graphics"="([^"]*)"/gim

/** The driver that the registry names last; Wine's server takes that one. */
function driverOf(registry: string): string | undefined {
  const named = [...readFileSync(registry, 'latin1').matchAll(SECTION)]
  return named.at(-1)?.[1]
}

/**
 * Sees that the prefix has the driver for this display. Only while its server does not run, which reads the registry at its start
 * and writes it over at its end. A driver that somebody has chosen stays. Throws SetupError where the prefix has none for a display.
 */
export function chooseDriver(prefix: string, display: Config['display']): void {
  const registry = join(prefix, 'user.reg')
  if (!existsSync(registry)) return // the prefix is being made
  const driver = driverOf(registry)
  if (display === 'none') {
    if (driver === undefined) appendFileSync(registry, '\n[Software\\\\Wine\\\\Drivers]\n"Graphics"="null"\n')
  } else if (driver === 'null')
    throw new SetupError(
      `the prefix ${prefix} is one without a display, and has been used so: for { display: 'inherit' } leave "prefix" out, or name another`,
    )
}
