/* Who sees that the thread of the main loop is no more, or that Wine's services are: neither tells Node. */
#include "internal.h"

/* The main thread, for others to watch. */
int zb_watch_me(void) {
  HANDLE process = GetCurrentProcess();
  if (zb.main_thread) return 1;
  if (!DuplicateHandle(process, GetCurrentThread(), process, &zb.main_thread, SYNCHRONIZE, FALSE, 0)) return 0;
  zb_keep_open(zb.main_thread);
  return 1;
}

/* Ended from outside (TerminateThread), or by Wine, which finds no way on where the stack has been written over. */
ZB_API void zb_watch(void) {
  if (WaitForSingleObject(zb.main_thread, INFINITE) == WAIT_OBJECT_0 && !zb_ends())
    zb_give_up("the thread that routines are called on is gone: one of them wrote over its stack, or ended it (TerminateThread)");
  for (;;) Sleep(INFINITE);
}

/* Node asks for a sign of life where nothing else has come for a while. It is given by way of the services: without them this thread
 * comes to no answer, as routines do not. */
void zb_give_pulse(void) {
  uint32_t asked = zb_load(zb_word(WORD_PULSE_ASKED));
  if (asked == zb_load(zb_word(WORD_PULSE))) return;
  if (WaitForSingleObject(zb.main_thread, 0) == WAIT_TIMEOUT) zb_store(zb_word(WORD_PULSE), asked);
}

/* DLLs that close a handle twice close whatever has its number by then. */
void zb_keep_open(HANDLE handle) { SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE); }

/* Something could not be done with a handle of ours. */
void zb_check_handle(void) {
  if (GetLastError() == ERROR_INVALID_HANDLE && !zb_ends())
    zb_give_up("a DLL has closed handles that are not its own, through which it is called (CloseHandle)");
}
