/* How this process ends: because Node says so or is gone, or because it cannot go on. */
#include "internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <tlhelp32.h>

enum { GAVE_UP = 3 }; /* as abort() of the C runtime */
/* Milliseconds for the clean-up of DLLs once Node is gone and cannot end this process. */
enum { PATIENCE = 1000 };

/* On stderr, which Node shows. */
void zb_say(const char *what) {
  HANDLE out = GetStdHandle(STD_ERROR_HANDLE);
  DWORD written;
  WriteFile(out, "zugbruecke: ", 12, &written, NULL);
  WriteFile(out, what, (DWORD)strlen(what), &written, NULL);
  WriteFile(out, "\n", 1, &written, NULL);
}

static void __attribute__((noreturn)) end(UINT code) {
  TerminateProcess(GetCurrentProcess(), code);
  for (;;) Sleep(INFINITE);
}

/* Ends the process where Node waits for an answer that cannot come any more: Node sees the end. */
void zb_give_up(const char *why) {
  zb_say(why);
  end(GAVE_UP);
}

int zb_ends(void) { return zb.leaving || zb_load(zb_word(WORD_HOST_STATE)) == STATE_LEAVING; }

/* Functions of the loader. They are looked up at the start, since that takes the loader's lock. */
static LONG(NTAPI *lock_loader)(ULONG flags, ULONG *state, ULONG_PTR *cookie);
static LONG(NTAPI *unlock_loader)(ULONG flags, ULONG_PTR cookie);
static void(NTAPI *shut_down)(void);
enum { TRY = 2, LOCKED = 1 };

/* As ExitProcess does, for DLLs count on it: their clean-up frees what their threads use. (ExitProcess would end the
 * watching thread, too.) The heap is locked meanwhile: a thread that held it when it ended would never release it. */
static void end_other_threads(DWORD watcher) {
  DWORD process = GetCurrentProcessId(), me = GetCurrentThreadId();
  THREADENTRY32 entry = {.dwSize = sizeof entry};
  HANDLE threads = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  HeapLock(GetProcessHeap());
  for (BOOL more = Thread32First(threads, &entry); more; more = Thread32Next(threads, &entry)) {
    if (entry.th32OwnerProcessID != process || entry.th32ThreadID == me || entry.th32ThreadID == watcher) continue;
    HANDLE thread = OpenThread(THREAD_TERMINATE, FALSE, entry.th32ThreadID);
    TerminateThread(thread, 0);
    CloseHandle(thread);
  }
  HeapUnlock(GetProcessHeap());
  CloseHandle(threads);
}

static DWORD WINAPI clean_up(void *watcher) {
  ULONG_PTR cookie;
  lock_loader(0, NULL, &cookie); /* no thread can begin from now on */
  end_other_threads((DWORD)(ULONG_PTR)watcher);
  shut_down();
  end(0);
}

/* The clean-up of DLLs may hang, and ExitProcess would wait for ever for a DLL that hangs while it is loaded. So the
 * clean-up runs on a thread of its own. Nothing here needs Python, whose lock an ended thread may hold. */
void zb_leave(void *lifeline, int32_t gone) {
  ULONG state = 0;
  ULONG_PTR cookie;
  uint8_t words[64];
  DWORD count;
  zb_store(zb_word(WORD_HOST_STATE), STATE_LEAVING);
  /* if the loader is locked, no thread can begin and no clean-up can run */
  lock_loader(TRY, &state, &cookie);
  if (state != LOCKED) end(0);
  unlock_loader(0, cookie);
  if (!CreateThread(NULL, 0, clean_up, (void *)(ULONG_PTR)GetCurrentThreadId(), 0, NULL)) end(0);
  /* while Node is there it limits the time: it kills the process after "timeout_stop" */
  while (!gone && ReadFile(lifeline, words, sizeof words, &count, NULL) && count) continue;
  Sleep(PATIENCE);
  end(0);
}

/* For an exception that nobody handles on a thread of a DLL's own. Wine would start a debugger, which takes seconds
 * and reports nothing of use. */
static LONG WINAPI unhandled(EXCEPTION_POINTERS *exception) {
  const EXCEPTION_RECORD *record = exception->ExceptionRecord;
  char text[ZB_STUB_NAME + 128];
  const char *stub = record->ExceptionCode == EXCEPTION_OF_STUB ? (const char *)(ULONG_PTR)zb_stub_name(record) : NULL;
  if (zb_ends()) end(0);
  if (stub) snprintf(text, sizeof text, "a thread of a DLL's own needs %s, which Wine does not have", stub);
  else
    snprintf(text, sizeof text, "exception 0x%08lX at 0x%" PRIX64 " on a thread of a DLL's own",
             (unsigned long)record->ExceptionCode, (uint64_t)(ULONG_PTR)record->ExceptionAddress);
  zb_say(text);
  end(record->ExceptionCode);
}

int zb_prepare_to_leave(void) {
  lock_loader = zb_of_ntdll("LdrLockLoaderLock");
  unlock_loader = zb_of_ntdll("LdrUnlockLoaderLock");
  shut_down = zb_of_ntdll("LdrShutdownProcess");
  SetUnhandledExceptionFilter(unhandled);
  return lock_loader && unlock_loader && shut_down;
}

/* A thread that the bridge knows is in a routine or a callback, or is the main loop's: it must not end. */
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved);
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_THREAD_DETACH && zb_current()) zb_give_up("a routine ended the thread that it was called on (ExitThread)");
  return TRUE;
}
