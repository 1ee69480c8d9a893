/**
 * Reads and writes memory of the Windows process through the host, for systems where /proc/<pid>/mem is not permitted.
 * The host's bell thread copies through a window in the segment, so that nothing waits for a routine that runs. One
 * thread of the program uses the window at a time. It blocks for some tens of microseconds for each windowful, and must
 * not run the program's own code meanwhile.
 */
import { MemoryOp, Window } from '../codec/layout.js'
import type { Mapping } from './mapping.js'
import type { Segment } from './segment.js'
import { type SharedState, SharedWord } from './shared.js'
import { isNobody } from './threads.js'

/**
 * A thread that waits for an answer looks so often without a pause, and then pauses so many milliseconds between looks.
 */
const LOOKS = 200
const PAUSE = 0.05
/** Milliseconds that a thread waits for the window before it checks that the window's owner lives. */
const SLICE = 100
/**
 * Milliseconds without an answer after which the request is made again: a DLL may have overwritten it, or read the byte
 * from the bell's pipe.
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
   * Has the host copy `size` bytes. It first checks all `rest` bytes from `address` on, so that a transfer that would
   * fail later is not begun.
   */
  #ask(op: number, address: bigint, size: number, rest: number): boolean {
    const { i32 } = this.mapping
    let number: number
    do {
      number = this.shared.next(SharedWord.windowNumber)
      this.#put(op, address, size, rest)
      // the number last: a new number tells the host that the request is complete
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

  /** Waits for the last request of the former owner, a thread that has ended: the host may still be copying. */
  #awaitLast(): void {
    this.#isAnsweredSoon(Atomics.load(this.mapping.i32, Window.offset / 4))
  }

  /** Rings the host and waits for its answer; false if none has come within AGAIN. */
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

  /** Owns the window while `act` runs; takes it over from a thread that has ended. */
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
