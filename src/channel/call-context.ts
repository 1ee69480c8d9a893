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
  /** The callback whose code runs now; null: no callback's; undefined: only the AsyncLocalStorage knows. */
  #now: CallbackScope<F> | null | undefined

  /** The target of the callback whose code runs now; undefined where it is no callback's. */
  get current(): F | undefined {
    if (this.#open === 0) return undefined
    if (this.#now !== undefined) return this.#now?.target
    for (let scope = storage.getStore(); scope; scope = scope.outer)
      if (scope.context === this && scope.target !== undefined) return scope.target as F
    return undefined
  }

  /**
   * Opens the scope of a callback. `around` is the callback in one of whose calls it happens, if there is one. The
   * caller closes the scope.
   */
  open(target: F, around: CallbackScope<F> | undefined): CallbackScope<F> {
    this.#open++
    open++
    return new CallbackScope(this, target, around)
  }

  /**
   * From now on code counts as that of this callback (null: of none; undefined: the AsyncLocalStorage tells). Gives
   * what to pass afterwards to undo this.
   */
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

/** One callback, from its beginning until it is closed. Asynchronous flows that it began may hold it for longer. */
export class CallbackScope<F> {
  /** What its calls are handed to; undefined once it is closed. */
  target: F | undefined
  /** The scope to which calls of its flows belong once this one is closed. */
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
   * Runs the callback's function in the asynchronous context in which the callback was made. Inside a blocking call no
   * code behind an `await` can run, so that the AsyncLocalStorage is not needed for it.
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
    // skips scopes that are closed: a chain of callbacks, each begun by the one before, would keep all of them in
    // memory
    this.outer = nearestOpen(this.outer)
    this.context.closed()
  }
}

function nearestOpen(scope: CallbackScope<unknown> | undefined): CallbackScope<unknown> | undefined {
  let at = scope
  while (at && at.target === undefined) at = at.outer
  return at
}
