/* Memory of this process: which ranges of addresses a message may name, and code that is written here. */
#include "internal.h"

/* 1 if the range lies in the part of the segment that may be used, 0 if in another part, -1 if outside the segment.
 * What may be written is the arena. */
static int in_segment(uint64_t address, uint64_t size, int writable) {
  uint64_t base = (uint64_t)(ULONG_PTR)zb.segment, offset = address - base;
  if (address < base || offset >= zb.segment_size) return -1;
  if (size > zb.segment_size - offset) return 0;
  return !writable || offset >= ARENA_OFFSET;
}

/* Whether a range may be read or written: in the segment, or committed memory of this process (what ALLOC gave, or a
 * routine returned). Memory can still go away before it is used; the access then fails under the guard, as the
 * routine's own would. */
int zb_reachable(uint64_t address, uint64_t size, int writable) {
  const DWORD good = writable ? PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY
                              : PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY | PAGE_READONLY |
                                    PAGE_EXECUTE_READ;
  MEMORY_BASIC_INFORMATION information;
  uint64_t end;
  int inside;
  if (!size) return 1;
  if (__builtin_add_overflow(address, size, &end) || end - 1 > (ULONG_PTR)-1) return 0;
  if ((inside = in_segment(address, size, writable)) >= 0) return inside;
  if (address < (uint64_t)(ULONG_PTR)zb.segment && end > (uint64_t)(ULONG_PTR)zb.segment) return 0;
  while (address < end) {
    if (!VirtualQuery((void *)(ULONG_PTR)address, &information, sizeof information)) return 0;
    if (information.State != MEM_COMMIT || (information.Protect & PAGE_GUARD) || !(information.Protect & good)) return 0;
    address = (uint64_t)(ULONG_PTR)information.BaseAddress + information.RegionSize;
  }
  return 1;
}

/* Makes machine code that has been written executable, and no longer writable: no page is ever both. 0 if that fails. */
int zb_make_executable(uint8_t *code, SIZE_T size) {
  DWORD before;
  return VirtualProtect(code, size, PAGE_EXECUTE_READ, &before) && FlushInstructionCache(GetCurrentProcess(), code, size);
}
