/* A loop close to the routine that it calls. Processors keep the lower 32 bits of where branches lead, and take some cycles more for a call,
 * and for its return, that crosses a boundary of 4 GiB: a third of a row's time where the routine adds two numbers (measured on Intel, see
 * docs/performance.md). DLLs lie where they were linked to, so the loops that know their columns are copied to where the DLL is. */
#include "internal.h"

enum { COPIES = 256 };

struct copy {
  zb_body body;
  uint64_t region;
  zb_body near_it;
};
static struct copy copies[COPIES];
static volatile uint32_t made; /* copies that are complete */
static SRWLOCK lock = SRWLOCK_INIT;

static uint64_t region_of(uint64_t address) { return address >> 32; }

static const struct copy *find(zb_body body, uint64_t region) {
  uint32_t count = zb_load(&made);
  for (uint32_t i = 0; i < count; i++)
    if (copies[i].body == body && copies[i].region == region) return &copies[i];
  return NULL;
}

/* Memory of `size` bytes from `first` on, below `end`. */
static uint8_t *allocate(uint64_t first, uint64_t end, SIZE_T size) {
  const uint64_t granularity = 0x10000;
  MEMORY_BASIC_INFORMATION free;
  for (uint64_t at = first; at < end; at = (uint64_t)(ULONG_PTR)free.BaseAddress + free.RegionSize) {
    if (!VirtualQuery((void *)(ULONG_PTR)at, &free, sizeof free)) return NULL;
    if (free.State != MEM_FREE) continue;
    const uint64_t behind = (uint64_t)(ULONG_PTR)free.BaseAddress + free.RegionSize;
    const uint64_t base = (at + granularity - 1) & ~(granularity - 1);
    if (base + size > end || base + size > behind) continue;
    uint8_t *memory = VirtualAlloc((void *)(ULONG_PTR)base, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (memory) return memory;
  }
  return NULL;
}

/* Copies a loop. Behind its code lies its UNWIND_INFO ("x64 exception handling"), for an exception of the routine
 * passes through it. Only a function without a handler of its own and without chained information is copied. The code
 * must refer to nothing but its arguments, which the Makefile checks. */
static zb_body copy_near(zb_body body, uint64_t address) {
  enum { LINE = 64 };
  DWORD64 base;
  const RUNTIME_FUNCTION *function = RtlLookupFunctionEntry((DWORD64)(ULONG_PTR)body, &base, NULL);
  if (!function || base + function->BeginAddress != (DWORD64)(ULONG_PTR)body) return NULL;
  const uint8_t *unwinding = (const uint8_t *)(ULONG_PTR)(base + function->UnwindData);
  if (unwinding[0] >> 3) return NULL;
  const uint32_t length = function->EndAddress - function->BeginAddress, codes = unwinding[2];
  const uint32_t unwinding_at = (length + LINE - 1) & ~(LINE - 1), unwinding_length = 4 + 2 * ((codes + 1) & ~1u);
  const uint32_t entry_at = unwinding_at + unwinding_length, size = entry_at + sizeof *function;
  const uint64_t region = region_of(address) << 32, end = region + (1ull << 32);
  uint8_t *memory = allocate(address, end, size);
  if (!memory) memory = allocate(region, address, size);
  if (!memory) return NULL;
  const RUNTIME_FUNCTION copied = {.BeginAddress = 0, .EndAddress = length, .UnwindData = unwinding_at};
  memcpy(memory, (const void *)(ULONG_PTR)body, length);
  memcpy(memory + unwinding_at, unwinding, unwinding_length);
  memcpy(memory + entry_at, &copied, sizeof copied);
  if (zb_make_executable(memory, size) &&
      RtlAddFunctionTable((RUNTIME_FUNCTION *)(memory + entry_at), 1, (DWORD64)(ULONG_PTR)memory))
    return (zb_body)(ULONG_PTR)memory;
  VirtualFree(memory, 0, MEM_RELEASE);
  return NULL;
}

/* The loop or its copy for a routine at `address`. The loop itself where it lies near, or where there is no room for
 * a copy: a row takes a little longer then. A copy that failed is not tried again. */
zb_body zb_near(zb_body body, uint64_t address) {
  const uint64_t region = region_of(address);
  const struct copy *found;
  if (region_of((ULONG_PTR)body) == region) return body;
  if (!(found = find(body, region))) {
    AcquireSRWLockExclusive(&lock);
    if (!(found = find(body, region)) && made < COPIES) {
      struct copy *copy = &copies[made];
      zb_body near_it = copy_near(body, address);
      *copy = (struct copy){body, region, near_it ? near_it : body};
      zb_store(&made, made + 1);
      found = copy;
    }
    ReleaseSRWLockExclusive(&lock);
  }
  return found ? found->near_it : body;
}
