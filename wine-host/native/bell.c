/* Who is rung, and what for. Node's threads each have a bell, which is rung only when they say that they sleep. This side has two: one
 * for the main loop, which reads it itself, and one for everything else, which a thread of the bridge's own hears and hands on. */
#include "internal.h"
#include <stdio.h>

static HANDLE bell_of(uint32_t thread) {
  HANDLE bell = zb.bells[thread];
  char path[64];
  if (bell) return bell;
  snprintf(path, sizeof path, "Z:\\proc\\%lu\\fd\\%ld", (unsigned long)zb_load(zb_word(WORD_BELL_PROCESS)),
           (long)zb_load(zb_thread_word(thread, THREAD_BELL)));
  bell = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
  if (bell == INVALID_HANDLE_VALUE) return NULL;
  zb_keep_open(bell);
  HANDLE other = InterlockedCompareExchangePointer((PVOID volatile *)&zb.bells[thread], bell, NULL);
  if (!other) return bell;
  SetHandleInformation(bell, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
  CloseHandle(bell);
  return other;
}

/* Called after something was published. A look suffices while the thread is awake, and leaves the line that it reads in its cache; the
 * fence is between our store and this look. Taking the word away makes it one byte for each time that the thread sleeps, however
 * many replies there are. It sets the word before it looks a last time, each time, so none is lost. */
int zb_ring(uint32_t thread) {
  volatile uint32_t *sleeps = zb_thread_word(thread, THREAD_SLEEPS);
  DWORD written;
  uint8_t byte = 1;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!zb_load(sleeps) || !__atomic_exchange_n(sleeps, 0, __ATOMIC_SEQ_CST)) return 0;
  HANDLE bell = bell_of(thread);
  if (bell && !WriteFile(bell, &byte, 1, &written, NULL)) zb_check_handle();
  return 1;
}

static DWORD WINAPI listen(void *unused) {
  uint8_t stale[64];
  DWORD count;
  (void)unused;
  for (;;) {
    count = 0;
    if (!ReadFile(zb.strands_bell, stale, sizeof stale, &count, NULL)) zb_check_handle();
    if (!count) Sleep(1); /* Node has gone, and so will we */
    zb_give_pulse();
    for (int strand = 1; strand < STRANDS; strand++) SetEvent(zb.events[strand]); /* each looks whether it was meant */
    zb_serve_window();
  }
  return 0;
}

/* Starts the bell thread: before any DLL of the user's, for it could not begin while one is loaded. */
int zb_listen(void) {
  static HANDLE thread;
  for (int strand = 1; strand < STRANDS; strand++) {
    if (!zb.events[strand] && !(zb.events[strand] = CreateEventA(NULL, FALSE, FALSE, NULL))) return 0;
    zb_keep_open(zb.events[strand]);
  }
  if (!thread) thread = CreateThread(NULL, 0x10000, listen, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  return thread != NULL;
}
