/* Routines by the numbers that Node gave them. Node counts upwards, so the table is one of chunks: it grows without moving what
 * a call on another thread reads, and reading takes no lock. */
#include "internal.h"

enum { CHUNK = 1024, CHUNKS = 4096 };
static struct zb_entry *volatile chunks[CHUNKS];

struct zb_entry *zb_find_routine(uint32_t number) {
  struct zb_entry *chunk = number / CHUNK < CHUNKS ? chunks[number / CHUNK] : NULL;
  return chunk ? &chunk[number % CHUNK] : NULL;
}

static struct zb_entry *make(uint32_t number) {
  struct zb_entry *volatile *place;
  struct zb_entry *fresh;
  if (number / CHUNK >= CHUNKS) return NULL;
  place = &chunks[number / CHUNK];
  if (!*place) {
    fresh = VirtualAlloc(NULL, CHUNK * sizeof *fresh, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!fresh) return NULL;
    if (InterlockedCompareExchangePointer((PVOID volatile *)place, fresh, NULL)) VirtualFree(fresh, 0, MEM_RELEASE);
  }
  return &(*place)[number % CHUNK];
}

/* Number of arguments, or -1. A structure by value, `{n}`, exists on 32-bit Windows only. */
int32_t zb_parse_signature(const char *signature, uint8_t *kinds, uint32_t room) {
  uint32_t count = 0;
  if (!signature) return -1;
  for (; signature[count]; count++) {
    if (count == room || signature[count] == '&' || zb_kind_size((uint8_t)signature[count]) < 0) return -1;
    kinds[count] = (uint8_t)signature[count];
  }
  return (int32_t)count;
}

ZB_API int32_t zb_routine(uint32_t number, uint64_t address, uint32_t convention, uint32_t flags, const char *signature,
                          uint32_t result_kind, uint32_t fixed) {
  uint8_t kinds[ZB_MAX_ARGUMENTS];
  int32_t count = zb_parse_signature(signature, kinds, ZB_MAX_ARGUMENTS);
  struct zb_entry *entry;
  (void)fixed; /* x86-64: with every argument in both kinds of register a variadic routine needs nothing more */
  if (count < 0 || result_kind > 127 || (result_kind != 'v' && zb_kind_size(result_kind) <= 0) || convention > 3)
    return ZB_BAD_SIGNATURE;
  if (number / CHUNK >= CHUNKS) return ZB_BAD_NUMBER;
  if (!(entry = make(number))) return ZB_NO_MEMORY;
  zb_store(&entry->state, 0);
  entry->address = address;
  entry->flags = flags;
  entry->count = (uint32_t)count;
  entry->result_kind = (uint8_t)result_kind;
  entry->convention = (uint8_t)convention;
  entry->floats = count ? 2 : 0;
  for (int32_t i = 0, floats = 0; i < count; i++) {
    if (kinds[i] == 'f' || kinds[i] == 'd') floats = 1;
    if (kinds[i] != 'd') entry->floats = 1;
    if (i == count - 1 && !floats) entry->floats = 0;
  }
  zb_store(&entry->state, address ? 1 : 2); /* the last store: who sees it sees the rest */
  return ZB_OK;
}

static int32_t mark(uint32_t number, uint32_t state) {
  struct zb_entry *entry;
  if (number / CHUNK >= CHUNKS) return ZB_BAD_NUMBER;
  if (!(entry = make(number))) return ZB_NO_MEMORY;
  zb_store(&entry->state, state);
  return ZB_OK;
}

ZB_API int32_t zb_undeclared(uint32_t number) { return mark(number, 2); }
ZB_API int32_t zb_release(uint32_t number) { return mark(number, 0); }
