/** What blocks of objects lead to, and which of them may move. */
import { type CallbackTarget, type Home, LocalBlock, type RemoteMemory, type Target } from '../../ctypes/block.js'
import { isCallbackTarget } from '../../ctypes/reference.js'

/** The user does not have its bytes in hand, and no session that lives has it. */
export function mayMove(block: LocalBlock): boolean {
  if (block.isLent) return false
  return !block.home || (isOver(block.home) && !block.isHandedOut)
}

export const isOver = ({ memory }: Home) => memory.isOver === true

/** These, and all that they lead to. */
export function reached(blocks: readonly LocalBlock[], memory: RemoteMemory): Set<LocalBlock> {
  const all = new Set(blocks)
  for (const { refs } of all)
    if (refs) for (const ref of refs.values()) if (isLocal(ref)) all.add(ref.block.sentIn(memory.encoding))
  return all
}

const isLocal = (ref: Target | CallbackTarget): ref is Target & { readonly block: LocalBlock } =>
  !isCallbackTarget(ref) && ref.block instanceof LocalBlock
