/** A lane and a fake host for tests of what happens inside callbacks. */
import type { Frame } from '../../dist/src/channel/frame.js'
import type { Lane } from '../../dist/src/channel/lane.js'
import { Ask, FakeHost, makeLane, Request } from './fake-host.js'

export const CALLBACK = 0x1000001
export const add = (a: number, b: number) => new Request([Ask.add, a, b])
export const callBack = (times = 1) => new Request([Ask.callBack, CALLBACK, times])

export interface Running {
  readonly host: FakeHost
  readonly lane: Lane
}
/** `onCallback` is given what runs, the frame, and the argument. */
export async function withLane(
  onCallback: (running: Running, frame: Frame, argument: number) => void,
  act: (running: Running) => Promise<void>,
): Promise<void> {
  const host = await FakeHost.start()
  const running: { host: FakeHost; lane: Lane } = { host, lane: undefined as unknown as Lane }
  running.lane = makeLane(host, 1, {
    onCallback: (frame, _callback, _count, at) =>
      onCallback(running, frame, Number(running.lane.mapping.view.getBigInt64(at, true))),
  })
  try {
    await act(running)
  } finally {
    await host.end()
  }
}

/** The same for callbacks that stay open: `frames` are those that have called. */
export function withFrames(act: (running: Running, frames: Frame[]) => Promise<void>): Promise<void> {
  const frames: Frame[] = []
  return withLane(
    (_, frame) => {
      frames.push(frame)
    },
    running => act(running, frames),
  )
}

/** What a callback does while it runs, so that the calls are its own. */
export const inside = <T>(frame: Frame, act: () => T): T => frame.scope.during(act)
