/* Exceptions on x86-64. Source: "x64 exception handling" of Microsoft's documentation.
 *
 * zb_guarded (call_x86_64.S) has zb_frame_handler as its language-specific handler, and what reaches it is unwound with RtlUnwindEx.
 * Code without a function table (made at run time, or assembled without unwind directives) makes the walk over the frames go
 * astray. */
#include "internal.h"

void zb_unwind(void *frame, EXCEPTION_RECORD *record, void *dispatch) {
  DISPATCHER_CONTEXT *at = dispatch;
  RtlUnwindEx(frame, zb_guarded_recover, record, NULL, at->ContextRecord, at->HistoryTable);
  __builtin_unreachable();
}

/* Whether Windows would find our frame: takes the same steps on a copy of the context. */
int zb_guard_reachable(const struct zb_guard *guard, const CONTEXT *context, CONTEXT *copy) {
  DWORD64 base, establisher, sp;
  void *data;
  *copy = *context;
  for (int frames = 0; frames < 100000; frames++) {
    if (copy->Rip > (DWORD64)(ULONG_PTR)zb_guarded && copy->Rip <= (DWORD64)(ULONG_PTR)zb_guarded_end &&
        copy->Rsp == (DWORD64)(ULONG_PTR)guard->frame)
      return 1;
    sp = copy->Rsp;
    if ((sp & 7) || sp >= (DWORD64)(ULONG_PTR)guard->frame || (!copy->Rip && frames))
      return 0; /* a call of address 0 can be walked */
    PRUNTIME_FUNCTION function = RtlLookupFunctionEntry(copy->Rip, &base, NULL);
    if (function) {
      RtlVirtualUnwind(UNW_FLAG_NHANDLER, base, copy->Rip, function, copy, &data, &establisher, NULL);
    } else { /* a leaf function, or code without a table, which Windows takes for one */
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

/* Whether the fault lies in the code that returns from a routine which an exception has ended. */
int zb_recovering(const CONTEXT *context) {
  return context->Rip >= (ULONG_PTR)zb_guarded_recover && context->Rip <= (ULONG_PTR)zb_guarded_end;
}
