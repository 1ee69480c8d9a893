/**
 * Memory of the Windows process by way of the host, for where /proc/<pid>/mem is not permitted: a thread of the host's own copies
 * through a window in the segment, whatever its main thread does, so that nothing waits for a routine and nothing needs a place
 * among the calls. One thread of the program uses it at a time; it blocks, some tens of microseconds for each piece, and must
 * never run anything of the user's meanwhile.
 */
import { readSync, writeSync } from 'node:fs'
import { MemoryOp, Window } from '../codec/layout.js'
import { ZugbrueckeError } from '../errors.js'
import { isNobody } from './membership.js'
import { MEMORY_BELL, ring, type SegmentDescriptors } from './segment.js'
import { Shared, type SharedState } from './shared.js'

/** Looks at the window before this thread pauses between them, and how long then, in milliseconds. */
const LOOKS = 200
const PAUSE = 0.05
/** How long who waits for the window sleeps before it looks whether its owner lives, in milliseconds. */
const SLICE = 100

export class MemoryWindow {
  readonly #request = new BigUint64Array(Window.requestSize / 8)
  readonly #fields = new Uint32Array(this.#request.buffer)
  readonly #bytes = new Uint8Array(this.#request.buffer)
  readonly #answer = new Uint32Array(2)
  readonly #never = new Int32Array(new SharedArrayBuffer(4))

  constructor(
    private readonly shared: SharedState,
    private readonly segment: SegmentDescriptors,
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
        if (readSync(this.segment.file, into, done, size, Window.data) !== size)
          throw new ZugbrueckeError('the shared memory ended before it should')
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
        writeSync(this.segment.file, from, done, size, Window.data)
        if (!this.#ask(MemoryOp.write, address + BigInt(done), size, from.length - done)) return false
        done += size
      }
      return true
    })
  }

  /** One piece. The host looks at all of `rest`, so that what cannot be done as a whole is not begun. */
  #ask(op: number, address: bigint, size: number, rest: number): boolean {
    const { file } = this.segment
    const number = this.shared.next(Shared.windowNumber)
    this.#fields[Window.op / 4] = op
    this.#fields[Window.size / 4] = size
    this.#request[Window.address / 8] = address
    this.#request[Window.rest / 8] = BigInt(rest)
    this.#fields[0] = number
    // the number last, in a write of its own: the host takes what carries a new one
    writeSync(file, this.#bytes, 4, Window.requestSize - 4, Window.offset + 4)
    writeSync(file, this.#bytes, 0, 4, Window.offset)
    this.#await(number)
    return this.#answer[1] === 0
  }

  /** What a thread asked for that has ended meanwhile: the host may still copy. */
  #awaitLast(): void {
    const { file } = this.segment
    readSync(file, this.#bytes, 0, 4, Window.offset)
    this.#await(this.#fields[0])
  }

  #await(number: number): void {
    ring(this.segment.hostDoorbells[MEMORY_BELL])
    for (let looks = 0; !this.#isAnswered(number); looks++) {
      this.assertAlive()
      if (looks >= LOOKS) Atomics.wait(this.#never, 0, 0, PAUSE)
    }
  }

  #isAnswered(number: number): boolean {
    readSync(this.segment.file, this.#answer, 0, 8, Window.answer)
    return this.#answer[0] === number >>> 0
  }

  #inTurn(act: () => boolean): boolean {
    const { i32 } = this.shared
    const me = this.thread + 1
    for (;;) {
      const owner = Atomics.compareExchange(i32, Shared.windowOwner, 0, me)
      if (owner === 0) break
      this.assertAlive()
      if (isNobody(this.shared, owner - 1) && Atomics.compareExchange(i32, Shared.windowOwner, owner, me) === owner) {
        this.#awaitLast()
        break
      }
      Atomics.wait(i32, Shared.windowOwner, owner, SLICE)
    }
    try {
      return act()
    } finally {
      Atomics.store(i32, Shared.windowOwner, 0)
      Atomics.notify(i32, Shared.windowOwner, 1)
    }
  }
}
