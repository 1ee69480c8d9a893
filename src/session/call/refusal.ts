import { Refusal, Status } from '../../codec/layout.js'
import { DllNotFoundError, MemoryAccessError, ZugbrueckeError } from '../../errors.js'

/** The error for a request that the host refused, by the status and code of its reply. */
export function refusal(label: string, status: number, code: number): ZugbrueckeError {
  if (status === Status.unloaded) return new DllNotFoundError(`${label}: its DLL has been unloaded`)
  if (status === Status.refused && code === Refusal.outOfMemory)
    return new MemoryAccessError(`${label}: the Windows process has no memory left`)
  return new ZugbrueckeError(
    `${label}: the Windows side refused the message (status ${status}, code ${code}); this is a fault of zugbruecke`,
  )
}
