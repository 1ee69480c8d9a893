/** Parts of a cluster that die or are cut off: nothing is lost, and nothing done twice that nobody allowed. `npm run test:cluster-faults` does the same many times. */
// 64-bit only: the DLL that ends its process makes system calls of 64-bit Linux
// waits: for locks of workers that are gone to expire
import * as assert from 'uvu/assert'
import { full } from '../session/support.js'
import { withoutNamespaces } from './machines.js'
import { withoutRedis } from './redis.js'
import { FAULTS, round, Scene } from './rounds.js'
import { clusterSuite } from './suite.js'

for (const network of [false, true])
  clusterSuite<{ scene: Scene }>(
    network ? 'a cluster: a network that is cut' : 'a cluster: parts that die',
    test => {
      test.before(async context => {
        context.scene = await Scene.open('faults', network)
      })
      test.before.each(async ({ scene }) => void (await scene.workers()))
      test.after(async ({ scene }) => {
        await scene?.end()
      })
      for (const fault of FAULTS.filter(one => (one.network ?? false) === network)) {
        const name = `${fault.what} (retries: ${fault.retries})`
        // these wait for a minute
        if ((fault.lasts ?? 0) > 5 && !full) test.skip(name)
        else
          test(name, async ({ scene }) => {
            const { sent, came, doubt } = await round(scene, fault)
            // where nothing is done again what a lost worker had is in doubt, and nothing else
            if (fault.id === 'worker-killed-once') assert.ok(doubt > 0 && doubt <= 100 && doubt % 50 === 0)
            else assert.is(came, sent)
          })
      }
    },
    withoutRedis ?? (network ? withoutNamespaces() : undefined),
  )
