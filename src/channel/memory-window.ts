/**
 * Reads and writes memory of the Windows process by way of the host, for where /proc/<pid>/mem is not permitted. The
 * host's bell thread copies through a window in the segment, whatever the host's main thread does: nothing waits for a
 * routine. One thread of the program uses the window at a time. That thread blocks for some tens of microseconds for
 * each piece, and must not run code of the user's meanwhile.
 */
import { MemoryOp, Window } from '../codec/layout.js'
import type { Mapping } from './mapping.js'
import type { Segment } from './segment.js'
import { type SharedState, SharedWord } from './shared.js'
import { isNobody } from './threads.js'

/** After so many looks at the window this thread pauses between looks, for so many milliseconds. */
const LOOKS = 200
const PAUSE = 0.05
/**
 * How long a thread that waits for the window sleeps before it checks that the window's owner lives, in milliseconds.
 */
const SLICE = 100
/**
 * After so many milliseconds without an answer the piece is asked for again: a DLL may have overwritten the request,
 * or emptied the bell.
 */
const AGAIN = 1000

export class MemoryWindow {
  readonly #never = new Int32Array(new SharedArrayBuffer(4))

  constructor(
    private readonly mapping: Mapping,
    private readonly shared: SharedState,
    private readonly segment: Segment,
    private readonly thread: number,
    /** Throws once the session is dead. */
    private readonly assertAlive: () => void,
  ) {}

  /** Fills `into`; false if the host says that it cannot be read. */
  read(address: bigint, into: Uint8Array): boolean {
    return this.#inTurn(() => {
      for (let done = 0; done < into.length; ) {
        const size = Math.min(into.length - done, Window.room)
        if (!this.#ask(MemoryOp.read, address + BigInt(done), size, into.length - done)) return false
        into.set(this.mapping.u8.subarray(Window.data, Window.data + size), done)
        done += size
      }
      return true
    })
  }

  /** Writes `from`; false if the host says that it cannot be written, and then nothing of it is. */
  write(address: bigint, from: Uint8Array): boolean {
    return this.#inTurn(() => {
      for (let done = 0; done < from.length; ) {
        const size = Math.min(from.length - done, Window.room)
        this.mapping.u8.set(from.subarray(done, done + size), Window.data)
        if (!this.#ask(MemoryOp.write, address + BigInt(done), size, from.length - done)) return false
        done += size
      }
      return true
    })
  }

  /**
   * Has one piece copied. The host checks all `rest` bytes from `address` on, so that what cannot be done as a whole
   * is not begun.
   */
  #ask(op: number, address: bigint, size: number, rest: number): boolean {
    const { i32 } = this.mapping
    let number: number
    do {
      number = this.shared.next(SharedWord.windowNumber)
      this.#put(op, address, size, rest)
      // the number last: the host takes what carries a new one
      Atomics.store(i32, Window.offset / 4, number)
    } while (!this.#isAnsweredSoon(number))
    return Atomics.load(i32, Window.answer / 4 + 1) === 0
  }

  #put(op: number, address: bigint, size: number, rest: number): void {
    const { view } = this.mapping
    view.setUint32(Window.offset + Window.op, op, true)
    view.setUint32(Window.offset + Window.size, size, true)
    view.setBigUint64(Window.offset + Window.address, address, true)
    view.setBigUint64(Window.offset + Window.rest, BigInt(rest), true)
  }

  /** Waits for what the former owner asked for, a thread that has ended: the host may still be copying. */
  #awaitLast(): void {
    this.#isAnsweredSoon(Atomics.load(this.mapping.i32, Window.offset / 4))
  }

  #isAnsweredSoon(number: number): boolean {
    this.shared.ring(this.segment.strandsBell)
    const from = performance.now()
    for (let looks = 0; !this.#isAnswered(number); looks++) {
      this.assertAlive()
      if (looks < LOOKS) continue
      Atomics.wait(this.#never, 0, 0, PAUSE)
      if (performance.now() - from > AGAIN) return false
    }
    return true
  }

  #isAnswered(number: number): boolean {
    return Atomics.load(this.mapping.i32, Window.answer / 4) === (number | 0)
  }

  #inTurn(act: () => boolean): boolean {
    const { i32 } = this.shared
    const me = this.thread + 1
    for (;;) {
      const owner = Atomics.compareExchange(i32, SharedWord.windowOwner, 0, me)
      if (owner === 0) break
      this.assertAlive()
      if (
        isNobody(this.shared, owner - 1) &&
        Atomics.compareExchange(i32, SharedWord.windowOwner, owner, me) === owner
      ) {
        this.#awaitLast()
        break
      }
      Atomics.wait(i32, SharedWord.windowOwner, owner, SLICE)
    }
    try {
      return act()
    } finally {
      Atomics.store(i32, SharedWord.windowOwner, 0)
      Atomics.notify(i32, SharedWord.windowOwner, 1)
    }
  }
}
