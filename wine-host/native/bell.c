/* Bells. Each of Node's threads has one, which is rung only when that thread says that it sleeps. This side has two:
 * one for the main loop, which reads it itself, and one for everything else, which the bridge's bell thread reads. */
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

/* To be called after something was published. While the thread is awake this is one look at a word that stays in its
 * cache; the fence keeps our store before that look. The exchange makes it one byte for each time that the thread
 * sleeps, whatever the number of replies. No wake-up is lost: the thread sets the word before its last look, each
 * time. */
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
    if (!count) Sleep(1); /* Node is gone, and this process will end soon */
    zb_give_pulse();
    for (int strand = 1; strand < STRANDS; strand++) SetEvent(zb.events[strand]); /* each strand checks whether it was meant */
    zb_serve_window();
  }
  return 0;
}

/* Starts the bell thread. It has to start before any DLL of the user's is loaded: while one is being loaded no thread
 * can begin. */
int zb_listen(void) {
  static HANDLE thread;
  for (int strand = 1; strand < STRANDS; strand++) {
    if (!zb.events[strand] && !(zb.events[strand] = CreateEventA(NULL, FALSE, FALSE, NULL))) return 0;
    zb_keep_open(zb.events[strand]);
  }
  if (!thread) thread = CreateThread(NULL, 0x10000, listen, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  return thread != NULL;
}
