/* Exceptions on i386: handlers are a chain of records on the stack that begins at fs:0 (sources: see call_i386.S).
 *
 * zb_guarded puts its record there. What the routine's own handlers do not handle comes to zb_frame_handler;
 * RtlUnwind runs the handlers in between and takes their records off. A routine that overwrites the chain, or leaves
 * it, leads Windows astray. Modules with a table of safe handlers must list theirs; the bridge has no such table, so
 * that Windows accepts its handler. */
#include "internal.h"
#include "call_i386.h"

void zb_unwind(void *frame, EXCEPTION_RECORD *record, void *dispatch) {
  (void)dispatch;
  RtlUnwind(frame, NULL, record, NULL);
  zb_resume(frame);
}

/* Whether Windows would find our record: it accepts only records that lie on the stack, each above the one before. */
int zb_guard_reachable(const struct zb_guard *guard, const CONTEXT *context, CONTEXT *copy) {
  const NT_TIB *tib = (const NT_TIB *)zb_teb();
  const struct _EXCEPTION_REGISTRATION_RECORD *record = tib->ExceptionList;
  (void)context, (void)copy;
  while ((char *)record >= (char *)tib->StackLimit && (void *)record < guard->frame && !((ULONG_PTR)record & 3)) {
    const struct _EXCEPTION_REGISTRATION_RECORD *next = record->Next;
    if (next <= record) return 0;
    record = next;
  }
  return (void *)record == guard->frame;
}

void zb_resume_at_guard(const struct zb_guard *guard, CONTEXT *context) {
  context->Eip = (DWORD)(ULONG_PTR)zb_guarded_recover;
  context->Esp = (DWORD)(ULONG_PTR)guard->frame;
}

/* Whether the fault lies in the code that returns from a routine which an exception has ended. */
int zb_recovering(const CONTEXT *context) {
  return context->Eip >= (ULONG_PTR)zb_guarded_recover && context->Eip <= (ULONG_PTR)zb_guarded_end;
}
