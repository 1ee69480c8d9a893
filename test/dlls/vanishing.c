/* What leaves the thread that calls, or what it is called through, in a state that nobody can go on from. */
#include <string.h>
#include <windows.h>
#define API __declspec(dllexport)

API int add(int a, int b) { return a + b; }

/* Writes so many bytes over the stack, from here upwards; with `rep stos`, which keeps what it needs in registers. */
__attribute__((noinline)) API void smash(int size) {
  char here[16];
  void *at = here;
  SIZE_T count = (SIZE_T)size;
  __asm__ volatile("movb $0x41, %%al\n rep stosb" : "+D"(at), "+c"(count) : : "eax", "memory");
}

API void end_thread(void) { TerminateThread(GetCurrentThread(), 0); }

static DWORD WINAPI end_other(void *thread) {
  Sleep(50);
  TerminateThread(thread, 0);
  return 0;
}
API void be_ended(void) {
  HANDLE me, self = GetCurrentProcess();
  DuplicateHandle(self, GetCurrentThread(), self, &me, THREAD_TERMINATE, FALSE, 0);
  CloseHandle(CreateThread(NULL, 0, end_other, me, 0, NULL));
  for (;;) Sleep(1000);
}

/* As a program that closes handles twice, and then as one that means it. */
API int close_all(int forced) {
  int closed = 0;
  for (ULONG_PTR handle = 4; handle < 0x4000; handle += 4) {
    if (forced) SetHandleInformation((HANDLE)handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    if (CloseHandle((HANDLE)handle)) closed++;
  }
  return closed;
}

static DWORD WINAPI touch(void *unused) {
  (void)unused;
  return *(volatile DWORD *)16;
}
API void crash_elsewhere(void) {
  CloseHandle(CreateThread(NULL, 0, touch, NULL, 0, NULL));
  for (;;) Sleep(1000);
}

/* A thread uses a block that the clean-up frees: sound, for Windows ends all other threads first. */
static volatile LONG *block;
static __attribute__((noreturn)) DWORD WINAPI count(void *unused) {
  (void)unused;
  for (;; block[0]++) continue;
}
API int start_counting(void) {
  block = VirtualAlloc(NULL, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  CloseHandle(CreateThread(NULL, 0, count, NULL, 0, NULL));
  return 1;
}
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_DETACH && block) {
    VirtualFree((void *)block, 0, MEM_RELEASE);
    Sleep(100);
  }
  return TRUE;
}

/* As Wine does in place of a routine that nobody has written for it. */
API int miss(int row, int every) {
  const ULONG_PTR names[] = {(ULONG_PTR) "some.dll", (ULONG_PTR) "some_routine"};
  if (row % every == 0) RaiseException(0x80000100, EXCEPTION_NONCONTINUABLE, 2, names);
  return row;
}
static DWORD WINAPI miss_there(void *unused) {
  (void)unused;
  return (DWORD)miss(0, 1);
}
API void miss_elsewhere(void) {
  CloseHandle(CreateThread(NULL, 0, miss_there, NULL, 0, NULL));
  for (;;) Sleep(1000);
}
