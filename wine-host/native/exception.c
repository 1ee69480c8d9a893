/* A crash in a routine ends the routine, not the process. Sources: "x64 exception handling" and "Structured Exception Handling" of
 * Microsoft's documentation, and the comments on EXCEPTION_RECORD.
 *
 * zb_guarded (call_*.S) has a handler for what the routine does not handle itself. Handlers of the DLL lie nearer to the fault, so
 * they go first; what reaches us is unwound by Windows, which runs destructors and __finally blocks on the way. Where Windows cannot
 * find our handler any more it ends the process: for that case alone a vectored handler walks the way in advance, and goes
 * to our frame without unwinding. */
#include "internal.h"
#include "modes.h"

/* Flags of "EXCEPTION_RECORD", which winternl.h of mingw lacks. */
enum { NONCONTINUABLE = 1, UNWINDING = 2 | 4, TARGET_UNWIND = 0x20 };

/* Exceptions that need no handler: they announce debug output, control keys and thread names. */
static int benign(const EXCEPTION_RECORD *record) {
  return ((record->ExceptionCode & 0xFFFF0000) == 0x40010000 || record->ExceptionCode == 0x406D1388) &&
         !(record->ExceptionFlags & NONCONTINUABLE);
}

static void note(struct zb_guard *guard, const EXCEPTION_RECORD *record, uint32_t system_error) {
  int memory = record->ExceptionCode == EXCEPTION_ACCESS_VIOLATION || record->ExceptionCode == EXCEPTION_IN_PAGE_ERROR ||
               record->ExceptionCode == EXCEPTION_GUARD_PAGE;
  guard->code = record->ExceptionCode;
  guard->address = record->ExceptionCode == EXCEPTION_UNBALANCED && record->NumberParameters == 2
                       ? record->ExceptionInformation[0] | (uint64_t)record->ExceptionInformation[1] << 32
                   : record->ExceptionCode == EXCEPTION_OF_STUB ? zb_stub_name(record)
                   : memory && record->NumberParameters >= 2    ? record->ExceptionInformation[1]
                                                                : ~0ull;
  guard->system_error = system_error;
}

/* The handler of zb_guarded. How it unwinds, and what `dispatch` is, depend on the architecture. */
EXCEPTION_DISPOSITION zb_frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, void *dispatch);
EXCEPTION_DISPOSITION zb_frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, void *dispatch) {
  uint32_t system_error = GetLastError();
  struct zb_thread *thread = zb_current();
  (void)context;
  if (record->ExceptionFlags & UNWINDING) {
    /* another frame is the target, as with longjmp: this guard is passed and ends */
    if (thread && thread->guard && thread->guard->frame == frame && !(record->ExceptionFlags & TARGET_UNWIND))
      thread->guard = thread->guard->previous;
    return ExceptionContinueSearch;
  }
  if (!thread || !thread->guard || thread->guard->frame != frame) return ExceptionContinueSearch;
  if (benign(record)) return ExceptionContinueExecution;
  note(thread->guard, record, system_error);
  zb_unwind(frame, record, dispatch);
}

/* Faults of the processor, and what Wine raises for a routine that it lacks: their code cannot always be walked.
 * Other software raises exceptions from within kernel32, which can be walked, or handles them itself. */
static int fault(DWORD code) {
  switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
    case EXCEPTION_ILLEGAL_INSTRUCTION:
    case EXCEPTION_PRIV_INSTRUCTION:
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
    case EXCEPTION_INT_OVERFLOW:
    case EXCEPTION_BREAKPOINT:
    case EXCEPTION_STACK_OVERFLOW:
    case EXCEPTION_IN_PAGE_ERROR:
    case EXCEPTION_DATATYPE_MISALIGNMENT:
    case EXCEPTION_FLT_DENORMAL_OPERAND:
    case EXCEPTION_FLT_DIVIDE_BY_ZERO:
    case EXCEPTION_FLT_INEXACT_RESULT:
    case EXCEPTION_FLT_INVALID_OPERATION:
    case EXCEPTION_FLT_OVERFLOW:
    case EXCEPTION_FLT_STACK_CHECK:
    case EXCEPTION_FLT_UNDERFLOW:
    case EXCEPTION_OF_STUB: return 1;
    default: return 0;
  }
}

static NT_TIB *information_block(void) { return (NT_TIB *)zb_teb(); }

/* DeallocationStack of the TEB: the lowest address reserved for the stack, committed or not. */
static char *lowest_of_stack(void) { return *(char **)(zb_teb() + (sizeof(void *) == 8 ? 0x1478 : 0xE0C)); }

/* Whether enough stack is left to walk it. After an overflow Windows leaves what SetThreadStackGuarantee asked for;
 * Wine 8 leaves one page, on which no handler can be looked for (it ends the process when that page is used up).
 * Walking and unwinding take about 5 KiB. */
static int stack_left(void) {
  char here;
  return &here - (char *)information_block()->StackLimit > 8192;
}

/* Whether there is stack for a callback. An overflow within the bridge would leave Node in the middle of a
 * conversation, and calls around the failed one would get one another's answers. So a callback begins only if
 * everything fits on the stack that may follow before foreign code runs under its own guard; Python's work for a
 * Control message takes the most. A thread with a small stack has to have a quarter of it left. */
enum { STACK_OF_CALLBACK = 131072 };

int zb_room_for_callback(void) {
  char here, *lowest = lowest_of_stack();
  size_t whole, want;
  whole = (size_t)((char *)information_block()->StackBase - lowest);
  want = whole / 4 < STACK_OF_CALLBACK ? whole / 4 : STACK_OF_CALLBACK;
  return &here < lowest || (size_t)(&here - lowest) > want;
}

/* Ends the routine that called back, with the exception of a stack overflow. */
void zb_refuse_callback(struct zb_thread *thread) {
  if (thread && thread->guard) thread->guard->refused = 1;
  RaiseException(EXCEPTION_STACK_OVERFLOW, EXCEPTION_NONCONTINUABLE, 0, NULL);
}

static LONG CALLBACK vectored(EXCEPTION_POINTERS *exception) {
  uint32_t system_error = GetLastError();
  struct zb_thread *thread = zb_current();
  struct zb_guard *guard = thread ? thread->guard : NULL;
  if (exception->ExceptionRecord->ExceptionCode == EXCEPTION_OF_STUB) zb_note_stub(exception->ExceptionRecord);
  if (!guard || !fault(exception->ExceptionRecord->ExceptionCode)) return EXCEPTION_CONTINUE_SEARCH;
  /* the frame to return to faults as well, and would again without end */
  if (guard->abandoned || zb_recovering(exception->ContextRecord))
    zb_give_up("a routine wrote over the stack that it was called on");
  if (guard->walking) {
    /* the walk itself has faulted: the first exception stays the one to report */
  } else if (exception->ExceptionRecord->ExceptionCode == EXCEPTION_STACK_OVERFLOW && !stack_left()) {
    note(guard, exception->ExceptionRecord, system_error);
  } else {
    /* a wild frame pointer makes the walk itself fault, which comes here again and finds `walking` set */
    note(guard, exception->ExceptionRecord, system_error);
    guard->walking = 1;
    int found = zb_guard_reachable(guard, exception->ContextRecord, &thread->walk);
    guard->walking = 0;
    if (found) {
      SetLastError(system_error);
      return EXCEPTION_CONTINUE_SEARCH;
    }
  }
  guard->abandoned = 1;
  zb_resume_at_guard(guard, exception->ContextRecord);
  return EXCEPTION_CONTINUE_EXECUTION;
}

static int(__cdecl *restore_guard_page)(void);

/* At the end of the list: vectored handlers that DLLs put at its front run before this one. */
int zb_watch_exceptions(void) {
  static PVOID handler;
  if (!handler) {
    HMODULE runtime = LoadLibraryA("msvcrt.dll");
    if (runtime) restore_guard_page = (int(__cdecl *)(void))(void *)GetProcAddress(runtime, "_resetstkoflw");
    handler = AddVectoredExceptionHandler(0, vectored);
  }
  return handler != NULL;
}

/* Runs body(argument); 1 and guard filled in if an exception ended it. */
int zb_protect(struct zb_thread *thread, zb_body body, void *argument, struct zb_guard *guard) {
  NT_TIB *tib = information_block();
  struct zb_modes modes;
  /* The chain of handlers. Where a routine is left without unwinding, records that it has added (on 64 bits only Wine's own libraries
   * add any) would stay in it. */
  void *chain;
  int failed;
  guard->previous = thread->guard;
  guard->depth = thread->depth;
  guard->walking = guard->abandoned = guard->refused = 0;
  guard->frame = NULL;
  thread->guard = guard;
  chain = tib->ExceptionList;
  zb_keep_modes(&modes);
  failed = zb_guarded(body, argument, guard);
  zb_settle_modes(&modes);
  thread->guard = guard->previous;
  /* callbacks have been left without their Return: Node would wait for ever for their frames */
  if (thread->depth != guard->depth)
    zb_give_up("a routine left a callback that had not returned (longjmp, or an exception of its own)");
  if (!failed) return 0;
  tib->ExceptionList = chain;
  /* the guard page that was hit is an ordinary page now: without this the next overflow would end the process */
  if (guard->code == EXCEPTION_STACK_OVERFLOW && !guard->refused && restore_guard_page) restore_guard_page();
  return 1;
}
