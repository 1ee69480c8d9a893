/** One open callback, whose mailbox keeps what is put into it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CallContext } from '../../dist/src/channel/call-context.js'
import { Exchange, type Port, type Sender } from '../../dist/src/channel/exchange.js'
import { Frame } from '../../dist/src/channel/frame.js'
import { Kind } from '../../dist/src/codec/layout.js'

const test = suite('frame')
const STRAND = 5

/** A callback, and what happens in it. */
class Callback {
  readonly context = new CallContext<Frame>()
  /** What has been put into the mailbox: the number of a call, or the halves of the result. */
  readonly mail: unknown[] = []
  readonly frame = new Frame(
    {} as Sender,
    {
      send: (strand, message, _length, tag) => {
        assert.is(strand, STRAND)
        this.mail.push(tag === Kind.return ? ['result', ...message] : message[0])
      },
      close: frame => {
        this.mail.push('closed')
        frame.scope.close()
      },
      returning: (low, high) => Int32Array.of(low, high),
    },
    STRAND,
    made => this.context.open(made, undefined),
  )

  call(number: number, hindered: { waits?: boolean; wrong?: Error } = {}): Call {
    return new Call(number, this, hindered)
  }
}

class Call extends Exchange {
  override readonly label = 'call'
  kept = 0
  settledAt: readonly [at: number, outcomeLength: number] | undefined
  /** Where the code ran that settled it. */
  ranIn: Frame | undefined
  error: Error | undefined
  constructor(
    private readonly number: number,
    private readonly callback: Callback,
    readonly hindered: { waits?: boolean; wrong?: Error },
  ) {
    super()
  }
  override attempt(_sender: Sender, port: Port): boolean {
    if (this.hindered.wrong) throw this.hindered.wrong
    return !this.hindered.waits && port.send(Int32Array.of(this.number), 4, Kind.call)
  }
  override keep(): void {
    this.kept++
  }
  override settle(_sender: Sender, at: number, outcomeLength: number): void {
    this.settledAt = [at, outcomeLength]
    this.ranIn = this.callback.context.current
  }
  override fail(_sender: Sender, error: Error): void {
    this.error = error
  }
}

test('one call at a time, in their order; those that wait keep what they were given', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  const calls = [1, 2, 3].map(number => callback.call(number))
  for (const call of calls) frame.submit(call)
  assert.equal(mail, [1])
  assert.equal(
    calls.map(({ kept }) => kept),
    [0, 1, 1],
  )
  assert.is(frame.running, calls[0])
  assert.ok(frame.answered(100, 0))
  assert.ok(frame.answered(200, 16))
  assert.equal(mail, [1, 2, 3])
  assert.equal(
    calls.map(({ settledAt }) => settledAt),
    [[100, 0], [200, 16], undefined],
  )
  assert.equal(
    calls.map(({ settled }) => settled),
    [true, true, false],
  )
})

test('the code that a reply settles is the callback’s, and what runs beside it is not', () => {
  const callback = new Callback()
  const call = callback.call(1)
  callback.frame.submit(call)
  callback.context.enter(null)
  callback.frame.answered(0, 0)
  assert.is(call.ranIn, callback.frame)
  assert.is(callback.context.current, undefined)
})

test('the result goes when all its calls are done, and the frame is closed before', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  for (const number of [1, 2]) frame.submit(callback.call(number))
  assert.not.ok(frame.returned)
  frame.finish(-1, 7)
  assert.ok(frame.returned)
  frame.answered(0, 0)
  assert.equal(mail, [1, 2])
  frame.answered(0, 0)
  assert.equal(mail, [1, 2, 'closed', ['result', -1, 7]])
  frame.pump()
  assert.is(mail.length, 4)
})

test('a call that has to wait holds up those behind it, and the result', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  const hindered = { waits: true }
  frame.submit(callback.call(1, hindered))
  frame.submit(callback.call(2))
  frame.finish(0, 0)
  assert.equal(mail, [])
  hindered.waits = false
  frame.pump()
  assert.equal(mail, [1])
  frame.answered(0, 0)
  frame.answered(0, 0)
  assert.equal(mail, [1, 2, 'closed', ['result', 0, 0]])
})

test('a call that waits can be taken out, one that has been sent cannot; what waits behind it goes', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  const hindered = { waits: true }
  const [first, second, third] = [callback.call(1), callback.call(2, hindered), callback.call(3)]
  for (const call of [first, second, third]) frame.submit(call)
  frame.finish(0, 0)
  assert.not.ok(frame.withdraw(first))
  frame.answered(0, 0)
  assert.equal(mail, [1])
  assert.ok(frame.withdraw(second))
  assert.not.ok(frame.withdraw(second))
  assert.equal(mail, [1, 3])
  frame.answered(0, 0)
  assert.equal(mail, [1, 3, 'closed', ['result', 0, 0]])
})

test('a call that is wrong throws where it is made, or fails in its turn, and the next goes', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  const wrong = new RangeError('no such argument')
  assert.throws(() => frame.submit(callback.call(1, { wrong })), 'no such argument')
  const late = callback.call(3, { wrong })
  for (const call of [callback.call(2), late, callback.call(4)]) frame.submit(call)
  frame.answered(0, 0)
  assert.is(late.error, wrong)
  assert.ok(late.settled)
  assert.equal(mail, [2, 4])
})

test('a message goes only when nothing is outstanding, and a reply only to what is', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  assert.not.ok(frame.answered(0, 0))
  frame.submit(callback.call(1))
  assert.not.ok(frame.send(Int32Array.of(9), 4, Kind.call))
  assert.not.ok(frame.sendFirst(callback.call(2)))
  frame.answered(0, 0)
  assert.not.ok(frame.answered(0, 0))
  assert.ok(frame.sendFirst(callback.call(3)))
  assert.equal(mail, [1, 3])
})

test('one that is emptied gives what was not settled, and answers no more', () => {
  const callback = new Callback()
  const { frame, mail } = callback
  const calls = [1, 2, 3].map(number => callback.call(number))
  for (const call of calls) frame.submit(call)
  assert.equal(frame.removeAll(), calls)
  assert.is(frame.running, undefined)
  frame.finish(1, 2)
  assert.equal(mail, [1])
  assert.equal(frame.removeAll(), [])
})

test.run()
