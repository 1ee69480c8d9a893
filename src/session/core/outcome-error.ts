import type { Outcome } from '../../codec/control.js'
import {
  ArgumentError,
  DllNotFoundError,
  MemoryAccessError,
  RoutineNotFoundError,
  SessionStartError,
  WindowsError,
  WrongArchitectureError,
  ZugbrueckeError,
} from '../../errors.js'

/** The error that a failed outcome of a control message means; `label` says what was asked for. */
export function outcomeError(label: string, outcome: Outcome): ZugbrueckeError {
  const [kind = 'Internal', text = 'no reason given'] = outcome.texts
  const code = Number(outcome.numbers[0] ?? 0n)
  const message = `${label}: ${text}`
  switch (kind) {
    case 'DllNotFound':
      return new DllNotFoundError(message)
    case 'WrongArchitecture':
      return new WrongArchitectureError(message)
    case 'RoutineNotFound':
      return new RoutineNotFoundError(message)
    case 'Windows':
      return new WindowsError(message, { winerror: code, strerror: text })
    case 'Argument':
      return new ArgumentError(message)
    case 'Memory':
      return new MemoryAccessError(message)
    case 'Version':
      return new SessionStartError(`${text}: install the package again, so that both halves are of one version`)
    default:
      return new ZugbrueckeError(`${message} (this is a fault of zugbruecke: please report it)`)
  }
}
