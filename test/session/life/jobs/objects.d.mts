import type { CtypesSession } from 'zugbruecke'

export function live(session: CtypesSession, path: string, isAwaited: boolean): Promise<object>
export const RIGHT: object
