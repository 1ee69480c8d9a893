import { Builder } from 'flatbuffers'
import { Outcome } from '../../src/codec/generated/outcome.js'

/** An Outcome as a stock Builder makes it. */
export function outcome(ok: boolean, numbers: readonly bigint[], texts: readonly string[]): Uint8Array {
  const builder = new Builder(64)
  const offsets = texts.map(text => builder.createString(text))
  const textVector = Outcome.createTextsVector(builder, offsets)
  const numberVector = Outcome.createNumbersVector(builder, [...numbers])
  Outcome.startOutcome(builder)
  Outcome.addOk(builder, ok)
  Outcome.addNumbers(builder, numberVector)
  Outcome.addTexts(builder, textVector)
  builder.finish(Outcome.endOutcome(builder))
  return builder.asUint8Array()
}
