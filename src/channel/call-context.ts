/**
 * Tells which callback, if any, makes a call. While a callback is open, a thread of the DLL waits in it and carries out
 * the calls that the callback makes. Other code of the same JS thread may make calls meanwhile; those go to the ring.
 *
 * For code that a callback runs synchronously a variable tells. For code behind an `await` an AsyncLocalStorage does.
 * It makes each promise of the thread slower (Node 20 and 22 run a hook for each), so it is in use only while an
 * `async` callback is open.
 */
import { AsyncLocalStorage, type AsyncResource } from 'node:async_hooks'

const storage = new AsyncLocalStorage<CallbackScope<unknown>>()
/** Open callbacks of this JS thread, of all sessions. */
let open = 0
/** Whether the storage is in use. */
let following = false

/** The open callbacks of one thread of one session. `F` is the target: what their calls are handed to. */
export class CallContext<F> {
  #open = 0
  /**
   * The callback whose code runs now; null: code of no callback runs; undefined: only the AsyncLocalStorage can tell.
   */
  #now: CallbackScope<F> | null | undefined

  /** The target of the callback whose code runs now; undefined where code of no callback runs. */
  get current(): F | undefined {
    if (this.#open === 0) return undefined
    if (this.#now !== undefined) return this.#now?.target
    for (let scope = storage.getStore(); scope; scope = scope.outer)
      if (scope.context === this && scope.target !== undefined) return scope.target as F
    return undefined
  }

  /**
   * Opens the scope of a callback. `around` is the callback that made the call inside which this one happens, if there
   * is one. Whoever opens a scope closes it.
   */
  open(target: F, around: CallbackScope<F> | undefined): CallbackScope<F> {
    this.#open++
    open++
    return new CallbackScope(this, target, around)
  }

  /**
   * From now on the code that runs counts as that of this callback (null: of none; undefined: as the AsyncLocalStorage
   * tells). Returns what to pass to undo this.
   */
  enter(scope: CallbackScope<F> | null | undefined): CallbackScope<F> | null | undefined {
    const before = this.#now
    this.#now = scope
    return before
  }

  /** @internal Called by a scope when it is closed. */
  closed(): void {
    this.#open--
    if (--open > 0 || !following) return
    following = false
    storage.disable()
  }
}

/**
 * One callback, from its beginning until it is closed. Code behind an `await` that the callback began may run after
 * that, and find the scope closed.
 */
export class CallbackScope<F> {
  /** What the callback's calls are handed to; undefined once the scope is closed. */
  target: F | undefined
  /** The scope to which calls of the callback's code belong once this scope is closed. */
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
   * Runs the callback's function in the asynchronous context in which the callback was made. `blocking`: inside a
   * blocking call, where no code behind an `await` can run and the AsyncLocalStorage is not needed.
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

  /** Runs code of this callback, wherever it is called from. */
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
    // skips closed scopes: where each callback of a long chain is begun by the one before, each would keep all earlier
    // scopes in memory
    this.outer = nearestOpen(this.outer)
    this.context.closed()
  }
}

function nearestOpen(scope: CallbackScope<unknown> | undefined): CallbackScope<unknown> | undefined {
  let at = scope
  while (at && at.target === undefined) at = at.outer
  return at
}
