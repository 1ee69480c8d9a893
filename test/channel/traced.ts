/** A program whose messages are looked at: a call, and one with a callback in it. */
import { Ask, FakeHost, makeLane, Request } from './fake-host.js'

const host = await FakeHost.start()
const lane = makeLane(host, 1, { onCallback: frame => frame.finish(7, 0) })
const call = new Request([Ask.add, 3, 4])
lane.submit(call)
await call.done
const around = new Request([Ask.callBack, 0x1000001, 1])
lane.submit(around)
await around.done
await host.end()
