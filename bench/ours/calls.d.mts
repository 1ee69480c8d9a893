export declare const DOUBLES: number
export type CallName = 'add' | 'ten' | 'fields' | 'doubles' | 'callback' | 'filter'

export interface Prepared {
  call(): unknown
  /** Calls within one `call()`. */
  readonly inner: number
  release?(): void
}

type AnyRoutine = (...args: never[]) => unknown

/** `routine` makes what is called from a routine of `dll`: itself in a job, its `.sync` in the caller's thread. */
export function prepare(
  session: unknown,
  dll: unknown,
  name: CallName,
  routine?: (made: { sync: AnyRoutine }) => AnyRoutine,
): Prepared
