/** The worker's own use of its session: jobs run here, each call synchronous, straight on the channel. */
import { Lane } from '../channel/lane.js'
import { WORKER_THREAD } from '../channel/membership.js'
import type { Pump } from '../channel/pump.js'
import type { SegmentDescriptors } from '../channel/segment.js'
import { Shared, type SharedState, WorkerState } from '../channel/shared.js'
import { SessionCore } from './core.js'
import type { SessionFacts } from './facts.js'

class WorkerLane extends Lane {
  constructor(
    options: ConstructorParameters<typeof Lane>[0],
    private readonly pump: Pump,
  ) {
    super(options)
  }
  /**
   * While it waits the worker carries, for all threads: they need not wake it. What came at the last moment is seen to by the
   * loop that a session's start left behind.
   */
  override waitFor(done: () => boolean): void {
    const { pump } = this
    const { i32 } = this.shared
    const inside = pump.carriesJob
    const before = Atomics.exchange(i32, Shared.workerState, WorkerState.running)
    const entered = pump.enter()
    pump.carriesJob = true
    try {
      super.waitFor(done)
    } finally {
      pump.carriesJob = inside
      Atomics.store(i32, Shared.jobWake, 0)
      Atomics.store(i32, Shared.workerState, before)
      // other threads' requests whose replies nobody would look for, and callbacks while an async job awaits something
      if (pump.hasWork() || pump.outstanding > 0 || Atomics.load(i32, Shared.mayCallBack) !== 0)
        this.shared.wakeWorker()
      if (entered) pump.leave()
    }
  }
  /** The worker does not wait for itself: it carries. Where it may block has no time limit, so the supervisor wakes it. */
  protected override sleep(_word: number, _seen: number, milliseconds: number): void {
    if (this.limits.size > 0) Atomics.store(this.shared.i32, Shared.jobWake, (Date.now() + Math.ceil(milliseconds)) | 1)
    this.pump.step()
  }
  override wakeWorker(): void {}
  protected override announce(): void {}
}

export class WorkerSession {
  #core: SessionCore | undefined

  constructor(
    private readonly shared: SharedState,
    readonly segment: SegmentDescriptors,
    private readonly pump: Pump,
  ) {}

  /** Callbacks of jobs that ended may still be called: the worker looks after them between its own work. */
  service(): void {
    this.#core?.lane.service()
  }

  core(facts: SessionFacts): SessionCore {
    this.#core ??= new SessionCore({
      facts,
      thread: WORKER_THREAD,
      shared: this.shared,
      makeLane: options => new WorkerLane(options, this.pump),
      onCallbackError: () => {},
    })
    return this.#core
  }
}
