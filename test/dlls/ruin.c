/* Ends, stops or spoils its own process, in ways that no other of these DLLs has. */
#include <process.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#define API __declspec(dllexport)

API int add(int a, int b) { return a + b; }

API void call_abort(void) { abort(); }
API void call_exit(int code) { exit(code); }
API void leave_at_once(int code) { _exit(code); }
API void illegal(void) { __asm__ volatile("ud2"); }
API void stop_there(void) { __asm__ volatile("int3"); }
API void privileged(void) { __asm__ volatile("cli"); }
API void fail_fast(void) { __asm__ volatile("movl $7, %%ecx\n int $0x29" : : : "ecx"); }
API void jump_nowhere(void) { ((void (*)(void))(uintptr_t)0x1234)(); }
API void suspend(void) { SuspendThread(GetCurrentThread()); }
API void spin(void) {
  for (volatile int on = 1; on;) continue;
}
API void end_thread(void) { ExitThread(7); }

/* Writes over the ends of its own blocks, and frees them twice. */
API int spoil_heap(int size) {
  char *block = HeapAlloc(GetProcessHeap(), 0, 64), *other = HeapAlloc(GetProcessHeap(), 0, 64);
  memset(block, 0xEE, (size_t)size);
  memset(other, 0xDD, (size_t)size);
  HeapFree(GetProcessHeap(), 0, other);
  HeapFree(GetProcessHeap(), 0, block);
  HeapFree(GetProcessHeap(), 0, block);
  return size;
}

/* Writes random words over all that is mapped around an address, most of them near its beginning. */
API int scribble(void *inside, uint32_t seed, int words) {
  MEMORY_BASIC_INFORMATION region;
  if (!VirtualQuery(inside, &region, sizeof region)) return 0;
  uint32_t *from = region.AllocationBase;
  SIZE_T size = ((char *)region.BaseAddress + region.RegionSize - (char *)from) / sizeof *from;
  const SIZE_T parts[] = {0x400, 0x8400, 0xC000, 0xC0000, size};
  for (int i = 0; i < words; i++) {
    seed = seed * 1664525u + 1013904223u;
    SIZE_T most = parts[(seed >> 13) % 5];
    seed = seed * 1664525u + 1013904223u;
    from[(seed >> 4) % (most < size ? most : size)] = seed ^ (seed << 16);
  }
  return words;
}

static __attribute__((noreturn)) DWORD WINAPI write_on(void *inside) {
  for (uint32_t seed = 1;; seed++) {
    scribble(inside, seed, 50);
    Sleep(1);
  }
}
/* The same from a thread of its own, for ever. */
API void keep_scribbling(void *inside) { CloseHandle(CreateThread(NULL, 0, write_on, inside, 0, NULL)); }
