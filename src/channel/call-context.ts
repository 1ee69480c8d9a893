/**
 * Which callback makes the call that is made now. While a callback is open, a thread of the DLL waits in it and carries out the
 * calls that the callback makes; those of other flows of the same JS thread are not its own.
 *
 * What runs synchronously is known. What a callback does after an `await` is known by AsyncLocalStorage. That makes each promise
 * of the thread slower (Node 20 and 22 then run a hook for it), so it is in use only while such a callback is open.
 */
import { AsyncLocalStorage, type AsyncResource } from 'node:async_hooks'

const storage = new AsyncLocalStorage<CallbackScope<unknown>>()
/** Callbacks of this JS thread that are open, of whatever session, and whether the storage is in use for any. */
let open = 0
let following = false

/** The callbacks of one thread of one session; `F` is what a call that belongs to one is handed to. */
export class CallContext<F> {
  #open = 0
  /** Whose JavaScript runs now; null: it is of no callback; undefined: the storage knows. */
  #now: CallbackScope<F> | null | undefined

  /** What the callback was opened with that makes the call made now; undefined if none does. */
  get current(): F | undefined {
    if (this.#open === 0) return undefined
    if (this.#now !== undefined) return this.#now?.target
    for (let scope = storage.getStore(); scope; scope = scope.outer)
      if (scope.context === this && scope.target !== undefined) return scope.target as F
    return undefined
  }

  /** A callback begins, inside the call of another if there is one around it. Close it. */
  open(target: F, around: CallbackScope<F> | undefined): CallbackScope<F> {
    this.#open++
    open++
    return new CallbackScope(this, target, around)
  }

  /** What runs from now on belongs to this callback, or to none; gives what to set again afterwards. */
  enter(scope: CallbackScope<F> | null | undefined): CallbackScope<F> | null | undefined {
    const before = this.#now
    this.#now = scope
    return before
  }

  /** @internal */
  closed(): void {
    this.#open--
    if (--open > 0 || !following) return
    following = false
    storage.disable()
  }
}

/** One callback, from its beginning until it is closed. Flows that it began may remember it for longer. */
export class CallbackScope<F> {
  /** What its calls are handed to; undefined once it is closed. */
  target: F | undefined
  /** Whose calls they are that a flow of this one makes once it is closed. */
  outer: CallbackScope<unknown> | undefined

  constructor(
    readonly context: CallContext<F>,
    target: F,
    around: CallbackScope<F> | undefined,
  ) {
    this.target = target
    this.outer = around
  }

  /**
   * Runs the callback's function in the asynchronous context in which the callback was made. Inside a call that blocks nothing can
   * follow behind an `await`, and nothing has to be remembered.
   */
  run<R>(made: AsyncResource, blocking: boolean, fn: () => R): R {
    return this.during(() =>
      made.runInAsyncScope(() => {
        this.outer ??= nearestOpen(storage.getStore())
        if (blocking && !following) return fn()
        following = true
        return storage.run(this, fn)
      }),
    )
  }

  /** Runs what belongs to this callback and to nobody else, whatever flow it is run from. */
  during<R>(fn: () => R): R {
    const before = this.context.enter(this)
    try {
      return fn()
    } finally {
      this.context.enter(before)
    }
  }

  close(): void {
    if (this.target === undefined) return
    this.target = undefined
    // else a callback that makes the next one, over and over, would keep all that were before
    this.outer = nearestOpen(this.outer)
    this.context.closed()
  }
}

function nearestOpen(scope: CallbackScope<unknown> | undefined): CallbackScope<unknown> | undefined {
  let at = scope
  while (at && at.target === undefined) at = at.outer
  return at
}
