/**
 * Routines as the Windows side knows them. Each declaration serves any number of routine objects that mean the same;
 * once none of them is left it is released, and its number is used again. Each thread that uses a session has its own
 * declarations.
 */
import { SharedWord } from '../../channel/shared.js'
import { Op, TextForm } from '../../codec/layout.js'
import type { TextPlace } from '../../ctypes/taken-texts.js'
import type { SessionCore } from './core.js'
import { PendingRequest } from './pending-request.js'

/** In the place of a DLL's number: the routine is given by its address. */
export const BY_ADDRESS = -1

/** What the Windows side is told of a routine. */
export interface RoutineDescription {
  /** A DLL's number, or BY_ADDRESS. */
  readonly dll: number
  /** Empty where the routine is given by its ordinal or address. */
  readonly name: string
  /** The ordinal, -1 where the routine is named, or its address. */
  readonly target: number | bigint
  readonly convention: number
  readonly flags: number
  readonly arguments: string
  readonly result: string
  /** Where it leaves texts. */
  readonly texts: readonly TextPlace[]
}

/** A routine that the Windows side has been asked to declare. */
export class Declaration {
  /** Why the Windows side could not declare it. */
  error: Error | undefined
  constructor(
    readonly number: number,
    readonly request: PendingRequest,
  ) {}
}

/** The numbers by which DECLARE describes a text. */
const numbersOf = ({ source, offset, wide, inStructure }: TextPlace) => [
  source,
  offset,
  (wide ? TextForm.wide : 0) | (inStructure ? TextForm.inStructure : 0),
]

/** Declarations by their descriptions. */
type DeclarationsByText = Map<string, WeakRef<Declaration>>
/** A declaration that no routine has any more. */
interface DroppedDeclaration {
  readonly number: number
  readonly key: string
  readonly known: DeclarationsByText
}

export class Declarations {
  readonly #routines: DeclarationsByText = new Map()
  readonly #addresses: DeclarationsByText = new Map()
  /** Numbers that have been released. */
  readonly #free: number[] = []
  readonly #dropped = new FinalizationRegistry<DroppedDeclaration>(dropped => this.#release(dropped))

  constructor(private readonly core: SessionCore) {}

  /**
   * The declaration of a routine. A new one is requested, in order with everything else; `explain` puts a failure into
   * words.
   */
  get(label: string, description: RoutineDescription, explain: (error: Error) => Error): Declaration {
    const known = description.dll === BY_ADDRESS ? this.#addresses : this.#routines
    const { texts, ...rest } = description
    const key = [...Object.values(rest), ...texts.flatMap(numbersOf)].join()
    const declaration = known.get(key)?.deref()
    if (declaration && !declaration.request.isBehind) return declaration
    const fresh = this.#declare(label, description, explain)
    known.set(key, new WeakRef(fresh))
    this.#dropped.register(fresh, { number: fresh.number, key, known })
    return fresh
  }

  /** To be called before a DLL is unloaded: another one may lie at its addresses later. */
  forgetAddresses(): void {
    this.#addresses.clear()
  }

  #declare(label: string, description: RoutineDescription, explain: (error: Error) => Error): Declaration {
    const { core } = this
    const { dll, name, target, convention, flags, arguments: kinds, result, texts } = description
    const request = new PendingRequest(core)
    const declaration = new Declaration(this.#free.pop() ?? core.shared.next(SharedWord.routineNumber), request)
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
