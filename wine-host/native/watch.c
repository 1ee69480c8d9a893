/* Watches for two ends that nothing else reports to Node: that of the main loop's thread, and that of Wine's
 * services. */
#include "internal.h"

/* Opens a handle of the main thread, on which it is watched. */
int zb_watch_me(void) {
  HANDLE process = GetCurrentProcess();
  if (zb.main_thread) return 1;
  if (!DuplicateHandle(process, GetCurrentThread(), process, &zb.main_thread, SYNCHRONIZE, FALSE, 0)) return 0;
  zb_keep_open(zb.main_thread);
  return 1;
}

/* The thread ends by TerminateThread, or because its stack was overwritten and Wine finds no handler. */
ZB_API void zb_watch(void) {
  if (WaitForSingleObject(zb.main_thread, INFINITE) == WAIT_OBJECT_0 && !zb_ends())
    zb_give_up("the thread that routines are called on is gone: one of them wrote over its stack, or ended it (TerminateThread)");
  for (;;) Sleep(INFINITE);
}

/* Gives the sign of life for which Node asks when nothing else has come for a while. It needs an answer of Wine's
 * services: without them it is not given, as routines get nowhere then. */
void zb_give_pulse(void) {
  uint32_t asked = zb_load(zb_word(WORD_PULSE_ASKED));
  if (asked == zb_load(zb_word(WORD_PULSE))) return;
  if (WaitForSingleObject(zb.main_thread, 0) == WAIT_TIMEOUT) zb_store(zb_word(WORD_PULSE), asked);
}

/* Protects a handle: a DLL that closes one of its own twice may close this one, which has its number by then. */
void zb_keep_open(HANDLE handle) { SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE); }

/* To be called when an operation on one of the bridge's handles has failed. */
void zb_check_handle(void) {
  if (GetLastError() == ERROR_INVALID_HANDLE && !zb_ends())
    zb_give_up("a DLL has closed handles that are not its own, through which it is called (CloseHandle)");
}
