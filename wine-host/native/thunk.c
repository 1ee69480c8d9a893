/* Thunks by the numbers of Node's callbacks. A DLL may keep the address of a freed one and call it much later, so stubs are never
 * unmapped: a freed one answers zero, and is given to another callback only after 1024 more were freed. */
#include "internal.h"

enum { BLOCKS = 4096, BUCKETS = 4096, QUARANTINE = 1024 };
/* Bytes of a block of stubs, bytes of a stub, and stubs of a block; in the place of the first stub stands the address
 * that all of them jump to. */
enum { BLOCK = 4096, STUB = 16, EACH = BLOCK / STUB - 1 };

struct block {
  uint8_t *code;
  struct zb_stub *stubs;
};
static struct block blocks[BLOCKS];
static uint32_t made;                    /* stubs that exist */
static struct zb_stub *buckets[BUCKETS]; /* live ones by number */
static struct zb_stub *oldest, *newest;  /* freed ones */
static uint32_t freed;
static volatile LONG disposed_calls;
static SRWLOCK lock = SRWLOCK_INIT;

static struct zb_stub **bucket(uint32_t number) { return &buckets[(number * 2654435769u) >> 20]; }

/* Callbacks read this without the lock: a block is complete before any address in it is given out. */
struct zb_stub *zb_stub_at(uint32_t index) {
  return &blocks[index / EACH].stubs[index % EACH];
}

/* Writes a block as a whole and makes it executable then. */
static int write_stubs(uint8_t *block, uint32_t first) {
  void (*common)(void) = zb_callback_common;
  memset(block, 0xCC, BLOCK);
  memcpy(block, &common, sizeof common);
  for (uint32_t i = 0; i < EACH; i++) zb_write_stub(block + STUB * (i + 1), first + i, block);
  return zb_make_executable(block, BLOCK);
}

static struct zb_stub *grow(void) {
  uint32_t block = made / EACH;
  struct zb_stub *stub;
  if (made % EACH == 0) {
    if (block == BLOCKS) return NULL;
    blocks[block].stubs = VirtualAlloc(NULL, EACH * sizeof *stub, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    blocks[block].code = VirtualAlloc(NULL, BLOCK, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!blocks[block].stubs || !blocks[block].code || !write_stubs(blocks[block].code, made)) {
      if (blocks[block].stubs) VirtualFree(blocks[block].stubs, 0, MEM_RELEASE);
      if (blocks[block].code) VirtualFree(blocks[block].code, 0, MEM_RELEASE);
      return NULL;
    }
  }
  stub = zb_stub_at(made);
  stub->index = made++;
  return stub;
}

static struct zb_stub *take(void) {
  struct zb_stub *stub = oldest;
  if (!stub || freed - stub->freed_at < QUARANTINE) return grow();
  oldest = stub->next;
  if (!oldest) newest = NULL;
  HeapFree(GetProcessHeap(), 0, stub->layout);
  stub->layout = NULL;
  return stub;
}

static int free_locked(uint32_t number) {
  for (struct zb_stub **at = bucket(number); *at; at = &(*at)->next) {
    struct zb_stub *stub = *at;
    if (stub->number != number) continue;
    *at = stub->next;
    InterlockedExchange(&stub->live, 0);
    stub->freed_at = ++freed;
    stub->next = NULL;
    if (newest) newest->next = stub;
    else oldest = stub;
    newest = stub;
    return 1;
  }
  return 0;
}

ZB_API uint64_t zb_thunk(uint32_t number, uint32_t convention, uint32_t flags, const char *signature, uint32_t result_kind) {
  struct zb_layout *layout;
  struct zb_stub *stub;
  uint64_t address = 0;
  int32_t why;
  if (number >> 24 >= THREADS || (result_kind != 'v' && zb_kind_size(result_kind) <= 0)) return 0;
  layout = zb_lay_out(signature, (MAILBOX_ROOM - CALLBACK_ARGUMENTS) / 8, convention, flags, &why);
  if (!layout) return 0;
  AcquireSRWLockExclusive(&lock);
  free_locked(number); /* if the number had a thunk before, that one is freed */
  if ((stub = take())) {
    stub->number = number;
    stub->layout = layout;
    stub->result_kind = result_kind;
    stub->next = *bucket(number);
    *bucket(number) = stub;
    InterlockedExchange(&stub->live, 1);
    address = (uint64_t)(ULONG_PTR)(blocks[stub->index / EACH].code + STUB * (stub->index % EACH + 1));
  } else {
    HeapFree(GetProcessHeap(), 0, layout);
  }
  ReleaseSRWLockExclusive(&lock);
  return address;
}

ZB_API int32_t zb_free_thunk(uint32_t number) {
  int found;
  AcquireSRWLockExclusive(&lock);
  found = free_locked(number);
  ReleaseSRWLockExclusive(&lock);
  return found ? ZB_OK : ZB_BAD_NUMBER;
}

void zb_count_disposed(void) { InterlockedIncrement(&disposed_calls); }
ZB_API uint32_t zb_disposed_calls(void) { return (uint32_t)disposed_calls; }
