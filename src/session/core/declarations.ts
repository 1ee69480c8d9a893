/**
 * Routines as the Windows side knows them, by what they are: any number of objects of JS may stand for one. What no object stands
 * for any more is released, and its number given to the next. Each thread that uses a session has its own.
 */
import { Shared } from '../../channel/shared.js'
import { Op, TextForm } from '../../codec/layout.js'
import type { TextPlace } from '../../ctypes/taken-texts.js'
import type { SessionCore } from './core.js'
import { PendingRequest } from './pending-request.js'

/** Instead of a DLL's number: the routine is known by its address. */
export const BY_ADDRESS = -1

/** What the Windows side is told of a routine. */
export interface Signature {
  /** A DLL's number, or BY_ADDRESS. */
  readonly dll: number
  /** Empty for what is named by a number. */
  readonly name: string
  /** Ordinal, or -1, or the address. */
  readonly target: number | bigint
  readonly convention: number
  readonly flags: number
  readonly arguments: string
  readonly result: string
  /** The texts that it leaves. */
  readonly texts: readonly TextPlace[]
}

export class Declaration {
  /** Why the Windows side could not. */
  error: Error | undefined
  constructor(
    readonly number: number,
    readonly request: PendingRequest,
  ) {}
}

/** A text as DECLARE has it. */
const numbersOf = ({ source, offset, wide, inStructure }: TextPlace) => [
  source,
  offset,
  (wide ? TextForm.wide : 0) | (inStructure ? TextForm.inStructure : 0),
]

type Known = Map<string, WeakRef<Declaration>>
interface DroppedDeclaration {
  readonly number: number
  readonly key: string
  readonly known: Known
}

export class Declarations {
  readonly #routines: Known = new Map()
  readonly #addresses: Known = new Map()
  /** Numbers that mean nothing to the Windows side any more. */
  readonly #free: number[] = []
  readonly #dropped = new FinalizationRegistry<DroppedDeclaration>(dropped => this.#release(dropped))

  constructor(private readonly core: SessionCore) {}

  /** The declaration of a routine; asks for it, in order with everything else, where it is new. `explain` words a failure. */
  get(label: string, signature: Signature, explain: (error: Error) => Error): Declaration {
    const known = signature.dll === BY_ADDRESS ? this.#addresses : this.#routines
    const { texts, ...rest } = signature
    const key = [...Object.values(rest), ...texts.flatMap(numbersOf)].join()
    const declaration = known.get(key)?.deref()
    if (declaration && !declaration.request.isBehind) return declaration
    const made = this.#declare(label, signature, explain)
    known.set(key, new WeakRef(made))
    this.#dropped.register(made, { number: made.number, key, known })
    return made
  }

  /** A DLL is about to be unloaded: what lies at an address now may be something else soon. */
  forgetAddresses(): void {
    this.#addresses.clear()
  }

  #declare(label: string, signature: Signature, explain: (error: Error) => Error): Declaration {
    const { core } = this
    const { dll, name, target, convention, flags, arguments: kinds, result, texts } = signature
    const request = new PendingRequest(core)
    const declaration = new Declaration(this.#free.pop() ?? core.shared.next(Shared.routineNumber), request)
    core.control.submit(
      label,
      Op.declare,
      [declaration.number, dll, convention, flags, target, ...texts.flatMap(numbersOf)],
      [name, kinds, result],
      () => request.answer(),
      error => {
        request.answer()
        declaration.error = explain(error)
      },
    )
    return declaration
  }

  #release({ number, key, known }: DroppedDeclaration): void {
    const { core } = this
    if (known.get(key)?.deref() === undefined) known.delete(key)
    if (!core.alive) return
    core.control.request('releasing a routine', Op.release, [number]).then(
      () => this.#free.push(number),
      // the session has ended meanwhile
      () => {},
    )
  }
}
