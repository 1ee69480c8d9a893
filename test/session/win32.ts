/** For tests of 32-bit sessions, which need a Wine that not every machine is set up with. */
import type { Callback, Test } from 'uvu'
import { resolveConfig } from '../../dist/src/runtime/config.js'
import { locate } from '../../dist/src/runtime/locate.js'

const isSetUp = (() => {
  try {
    locate(resolveConfig({ arch: 'win32' }))
    return true
  } catch {
    return false
  }
})()

/** `test`, where `zugbruecke setup --arch win32` has been run; a skipped test elsewhere. */
export const win32 =
  <T>(test: Test<T>) =>
  (name: string, run: Callback<T>): void =>
    isSetUp ? test(name, run) : test.skip(name, run)
