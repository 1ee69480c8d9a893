/* Turns on the process that has loaded it: its handlers, threads, memory and libraries. */
#include <stdint.h>
#include <string.h>
#include <windows.h>
#include <tlhelp32.h>
#define API __declspec(dllexport)
typedef int32_t (*unary)(int32_t);

API int add(int a, int b) { return a + b; }

/* Faults in what is to handle the first one. */
static LONG CALLBACK fault_again(EXCEPTION_POINTERS *pointers) {
  static volatile LONG depth;
  (void)pointers;
  if (InterlockedIncrement(&depth) < 4) *(volatile int *)24 = 1;
  depth = 0;
  return EXCEPTION_CONTINUE_SEARCH;
}
API int fault_twice(void) {
  void *handler = AddVectoredExceptionHandler(1, fault_again);
  *(volatile int *)16 = 1;
  return RemoveVectoredExceptionHandler(handler) != 0;
}
/* Stays, and says of each fault that all is well again. */
static LONG CALLBACK deny(EXCEPTION_POINTERS *pointers) {
  (void)pointers;
  return EXCEPTION_CONTINUE_EXECUTION;
}
API int deny_faults(void) {
  AddVectoredExceptionHandler(1, deny);
  return *(volatile int *)16;
}

/* What a callback gives is the address of what faults. */
API int fault_after(unary callback) { return *(volatile int *)(intptr_t)callback(16); }

enum { TERMINATE, SUSPEND };
/* Does it to all other threads of the process. */
API int others(int what) {
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry = {.dwSize = sizeof entry};
  int count = 0;
  for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
    if (entry.th32OwnerProcessID != GetCurrentProcessId() || entry.th32ThreadID == GetCurrentThreadId()) continue;
    HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, entry.th32ThreadID);
    if (what == TERMINATE ? TerminateThread(thread, 0) : SuspendThread(thread) != (DWORD)-1) count++;
    CloseHandle(thread);
  }
  CloseHandle(all);
  return count;
}
static DWORD WINAPI suspend_it(void *thread) {
  Sleep(50);
  SuspendThread(thread);
  return 0;
}
/* A thread of its own suspends the one that this runs on, some time after this has returned. */
API void suspend_later(void) {
  HANDLE me, self = GetCurrentProcess();
  DuplicateHandle(self, GetCurrentThread(), self, &me, THREAD_ALL_ACCESS, FALSE, 0);
  CloseHandle(CreateThread(NULL, 0, suspend_it, me, 0, NULL));
}

/* Memory that it was given a pointer into, and that is not its own. */
API int free_memory(void *inside) {
  int freed = HeapFree(GetProcessHeap(), 0, inside) ? 1 : 0;
  return freed | (VirtualFree(inside, 0, MEM_RELEASE) ? 2 : 0) | (UnmapViewOfFile(inside) ? 4 : 0);
}
API int protect_memory(void *inside, uint32_t protection) {
  MEMORY_BASIC_INFORMATION region;
  DWORD before;
  if (!VirtualQuery(inside, &region, sizeof region)) return -1;
  return VirtualProtect(region.BaseAddress, region.RegionSize, protection, &before) != 0;
}

API int free_library(const char *name) {
  int times = 0;
  for (HMODULE module; times < 1000 && (module = GetModuleHandleA(name)); times++) FreeLibrary(module);
  return times;
}
API int free_slots(void) {
  int freed = 0;
  for (DWORD index = 0; index < 1088; index++) freed += TlsFree(index) != 0;
  return freed;
}
API void spoil_block(void) {
  uint8_t *block = (uint8_t *)NtCurrentTeb();
  memset(block + 0x100, 0xEE, 0x1000);
}
API int leave_folder(void) {
  return SetCurrentDirectoryA("C:\\windows") && SetEnvironmentVariableA("PATH", "") &&
         SetEnvironmentVariableA("SystemRoot", "Q:\\");
}
API int close_output(void) {
  return (CloseHandle(GetStdHandle(STD_OUTPUT_HANDLE)) ? 1 : 0) | (CloseHandle(GetStdHandle(STD_ERROR_HANDLE)) ? 2 : 0) |
         (CloseHandle(GetStdHandle(STD_INPUT_HANDLE)) ? 4 : 0);
}

/* A callback from a stack of its own. */
static void *home;
struct fiber_work {
  unary callback;
  int32_t result;
};
static void CALLBACK on_fiber(void *given) {
  struct fiber_work *work = given;
  work->result = work->callback(20);
  SwitchToFiber(home);
}
API int call_on_fiber(unary callback) {
  struct fiber_work work = {callback, 0};
  home = ConvertThreadToFiber(NULL);
  void *fiber = CreateFiber(0, on_fiber, &work);
  SwitchToFiber(fiber);
  DeleteFiber(fiber);
  ConvertFiberToThread();
  return work.result;
}

static int spoils_leaving;
API void spoil_leaving(int how) { spoils_leaving = how; }
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason != DLL_PROCESS_DETACH) return TRUE;
  if (spoils_leaving == 1) RaiseException(0xE0001234, EXCEPTION_NONCONTINUABLE, 0, NULL);
  if (spoils_leaving == 2) *(volatile int *)16 = 1;
  if (spoils_leaving == 3) ExitProcess(9);
  if (spoils_leaving == 4) TerminateThread(GetCurrentThread(), 0);
  return TRUE;
}
