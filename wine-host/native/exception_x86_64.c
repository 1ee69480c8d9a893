/* Exceptions on x86-64. Source: "x64 exception handling" of Microsoft's documentation.
 *
 * zb_guarded (call_x86_64.S) has zb_frame_handler as its language-specific handler, and what reaches it is unwound with RtlUnwindEx.
 * Code without a function table (made at run time, or assembled without unwind directives) makes the walk over the frames go
 * astray. */
#include "internal.h"

EXCEPTION_DISPOSITION zb_frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, DISPATCHER_CONTEXT *dispatch);
EXCEPTION_DISPOSITION zb_frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, DISPATCHER_CONTEXT *dispatch) {
  uint32_t system_error = GetLastError();
  struct zb_thread *thread = zb_current();
  (void)context;
  if (record->ExceptionFlags & ZB_UNWINDING) {
    /* somebody else unwinds past us, as longjmp does: this guard is no more */
    if (thread && thread->guard && thread->guard->frame == frame && !(record->ExceptionFlags & ZB_TARGET_UNWIND))
      thread->guard = thread->guard->previous;
    return ExceptionContinueSearch;
  }
  if (!thread || !thread->guard || thread->guard->frame != frame) return ExceptionContinueSearch;
  if (zb_benign(record)) return ExceptionContinueExecution;
  zb_note_exception(thread->guard, record, system_error);
  RtlUnwindEx(frame, zb_guarded_recover, record, NULL, dispatch->ContextRecord, dispatch->HistoryTable);
  return ExceptionContinueSearch; /* not reached */
}

/* Would Windows find our frame? The same steps that it takes, on a copy. */
int zb_guard_reachable(const struct zb_guard *guard, const CONTEXT *context, CONTEXT *copy) {
  DWORD64 base, establisher, sp;
  void *data;
  *copy = *context;
  for (int frames = 0; frames < 100000; frames++) {
    if (copy->Rip > (DWORD64)(ULONG_PTR)zb_guarded && copy->Rip <= (DWORD64)(ULONG_PTR)zb_guarded_end &&
        copy->Rsp == (DWORD64)(ULONG_PTR)guard->frame)
      return 1;
    sp = copy->Rsp;
    if ((sp & 7) || sp >= (DWORD64)(ULONG_PTR)guard->frame || (!copy->Rip && frames)) return 0; /* a call of 0 can be walked */
    PRUNTIME_FUNCTION function = RtlLookupFunctionEntry(copy->Rip, &base, NULL);
    if (function) {
      RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, copy->Rip, function, copy, &data, &establisher, NULL);
    } else { /* a leaf function, or code that nobody registered: Windows takes it for a leaf */
      copy->Rip = *(DWORD64 *)(ULONG_PTR)sp;
      copy->Rsp = sp + 8;
    }
    if (copy->Rsp <= sp) return 0;
  }
  return 0;
}

void zb_resume_at_guard(const struct zb_guard *guard, CONTEXT *context) {
  context->Rip = (DWORD64)(ULONG_PTR)zb_guarded_recover;
  context->Rsp = (DWORD64)(ULONG_PTR)guard->frame;
}

/* Is it on its way back from a routine that an exception has ended? */
int zb_recovering(const CONTEXT *context) {
  return context->Rip >= (ULONG_PTR)zb_guarded_recover && context->Rip <= (ULONG_PTR)zb_guarded_end;
}
