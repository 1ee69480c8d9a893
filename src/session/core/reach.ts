/** What the blocks of objects point to, and which of them may move to memory that both sides see. */
import { type CallbackTarget, type Home, LocalBlock, type RemoteMemory, type Target } from '../../ctypes/block.js'
import { isCallbackTarget } from '../../ctypes/reference.js'

/**
 * Whether a block may move: the program has no view of its bytes, and it does not live in memory of a living session.
 */
export function mayMove(block: LocalBlock): boolean {
  if (block.isLent) return false
  return !block.home || (isOver(block.home) && !block.isHandedOut)
}

/** Whether the session has ended in whose memory a block lives. */
export const isOver = ({ memory }: Home) => memory.isOver === true

/** These blocks and all that they point to, however far. */
export function reached(blocks: readonly LocalBlock[], memory: RemoteMemory): Set<LocalBlock> {
  const all = new Set(blocks)
  for (const { refs } of all)
    if (refs) for (const ref of refs.values()) if (isLocal(ref)) all.add(ref.block.sentIn(memory.encoding))
  return all
}

const isLocal = (ref: Target | CallbackTarget): ref is Target & { readonly block: LocalBlock } =>
  !isCallbackTarget(ref) && ref.block instanceof LocalBlock
