/* What leaves nothing to go on with. Node waits for an answer that cannot come any more; the end of the process is one. */
#include "internal.h"

enum { GAVE_UP = 3 }; /* as abort() of the C runtime */

/* On stderr, which Node shows. */
void zb_say(const char *what) {
  HANDLE out = GetStdHandle(STD_ERROR_HANDLE);
  DWORD written;
  WriteFile(out, "zugbruecke: ", 12, &written, NULL);
  WriteFile(out, what, (DWORD)strlen(what), &written, NULL);
  WriteFile(out, "\n", 1, &written, NULL);
}

void zb_give_up(const char *why) {
  zb_say(why);
  TerminateProcess(GetCurrentProcess(), GAVE_UP);
  for (;;) Sleep(INFINITE);
}

void zb_leave(void) { zb_store(zb_word(WORD_HOST_STATE), STATE_LEAVING); }

/* A thread that is known here has a routine's call or a callback open, or is the main loop's. */
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved);
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_THREAD_DETACH && zb_current()) zb_give_up("a routine ended the thread that it was called on (ExitThread)");
  return TRUE;
}
