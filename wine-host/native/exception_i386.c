/* Exceptions on i386: handlers are a chain of records on the stack that begins at fs:0 (sources: see call_i386.S).
 *
 * zb_guarded has put its record there. What the routine's own handlers do not want comes to zb_frame_handler; RtlUnwind tells
 * those that lie between, and takes their records away. A routine that has overwritten the chain, or left it, leads Windows astray.
 * No module with a table of safe handlers holds ours, so that Windows takes it (Windows demands one of modules that have such a table). */
#include "internal.h"
#include "call_i386.h"

void zb_unwind(void *frame, EXCEPTION_RECORD *record, void *dispatch) {
  (void)dispatch;
  RtlUnwind(frame, NULL, record, NULL);
  zb_resume(frame);
}

/* Would Windows find our record? It takes those only that lie on the stack, one above the other. */
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

/* Is it on its way back from a routine that an exception has ended? */
int zb_recovering(const CONTEXT *context) {
  return context->Eip >= (ULONG_PTR)zb_guarded_recover && context->Eip <= (ULONG_PTR)zb_guarded_end;
}
