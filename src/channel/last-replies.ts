/** A Windows process may answer and end before the worker looks: what it answered still lies in the segment. */
import { readSync } from 'node:fs'
import { REPLY_OFFSET, REPLY_SIZE, REQUEST_OFFSET, REQUEST_SIZE, SLOTS, SlotFlag } from '../codec/layout.js'
import type { SegmentDescriptors } from './segment.js'
import { EndReason, Shared, type SharedState, SlotState } from './shared.js'

/** Brings the reply to request `sequence` to where the worker would have brought it; false if there is none. */
export function takeLastReply(shared: SharedState, segment: SegmentDescriptors, sequence: number): boolean {
  const { i32, u8, u32, view } = shared
  const index = (sequence - 1) & (SLOTS - 1)
  if (Atomics.load(i32, Shared.slotState + index) === SlotState.replied) return true
  // whoever ended the session is told that of all that was not settled
  if (Atomics.load(i32, Shared.endReason) !== EndReason.crashed) return false
  const at = REPLY_OFFSET + index * REPLY_SIZE
  const slot = REQUEST_OFFSET + index * REQUEST_SIZE
  try {
    readSync(segment.file, u8, at, REPLY_SIZE, at)
    if (u32[at / 4] !== sequence >>> 0) return false
    if (u8[slot + 10] & SlotFlag.imageInSlot) {
      const from = slot + view.getUint16(slot + 12, true)
      readSync(segment.file, u8, from, view.getUint16(slot + 14, true), from)
    }
  } catch {
    return false // the segment is closed
  }
  Atomics.store(i32, Shared.slotState + index, SlotState.replied)
  return true
}
