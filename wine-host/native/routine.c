/* Routines by the numbers that Node gave them. Node counts upwards, so the table is one of chunks: it grows without moving what
 * a call on another thread reads, and reading takes no lock. */
#include "internal.h"

enum { CHUNK = 1024, CHUNKS = 4096 };
static struct zb_entry *volatile chunks[CHUNKS];

struct zb_entry *zb_find_routine(uint32_t number) {
  struct zb_entry *chunk = number / CHUNK < CHUNKS ? chunks[number / CHUNK] : NULL;
  return chunk ? &chunk[number % CHUNK] : NULL;
}

/* Whether the routine can be called with so many arguments; if not, `reply` says why. */
int zb_usable(const struct zb_entry *entry, uint32_t count, struct zb_reply *reply) {
  uint32_t state = entry ? zb_load(&entry->state) : ENTRY_NONE;
  if (state == ENTRY_READY && count == entry->layout->count) return 1;
  reply->status = state == ENTRY_FAILED ? STATUS_UNDECLARED : state == ENTRY_UNLOADED ? STATUS_UNLOADED : STATUS_REFUSED;
  reply->code = state >= ENTRY_FAILED ? 0 : state == ENTRY_NONE ? REFUSED_NO_ROUTINE : REFUSED_ARGUMENT_COUNT;
  return 0;
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

ZB_API int32_t zb_routine(uint32_t number, uint64_t address, uint32_t convention, uint32_t flags, const char *signature,
                          uint32_t result_kind) {
  struct zb_entry *entry;
  struct zb_layout *layout;
  int32_t why;
  if (result_kind != 'v' && zb_kind_size(result_kind) <= 0) return ZB_BAD_SIGNATURE;
  if (number / CHUNK >= CHUNKS) return ZB_BAD_NUMBER;
  if (!(layout = zb_lay_out(signature, ZB_MAX_ARGUMENTS, convention, flags, &why))) return why;
  if (!(entry = make(number))) {
    HeapFree(GetProcessHeap(), 0, layout);
    return ZB_NO_MEMORY;
  }
  zb_store(&entry->state, ENTRY_NONE);
  if (entry->layout) HeapFree(GetProcessHeap(), 0, entry->layout);
  zb_forget_texts(entry);
  entry->address = address;
  entry->kept.flags = flags;
  entry->kept.errno_location = address && (flags & ROUTINE_ERRNO) ? zb_errno_of(address) : NULL;
  entry->layout = layout;
  entry->result_kind = result_kind;
  zb_store(&entry->state, address ? ENTRY_READY : ENTRY_FAILED); /* the last store: a thread that sees it sees the others */
  return ZB_OK;
}

static int32_t mark(uint32_t number, uint32_t state) {
  struct zb_entry *entry;
  if (number / CHUNK >= CHUNKS) return ZB_BAD_NUMBER;
  if (!(entry = make(number))) return ZB_NO_MEMORY;
  zb_store(&entry->state, state);
  return ZB_OK;
}

ZB_API int32_t zb_undeclared(uint32_t number) { return mark(number, ENTRY_FAILED); }
ZB_API int32_t zb_release(uint32_t number) { return mark(number, ENTRY_NONE); }

/* "LdrDllNotification" of Microsoft's documentation. */
struct unloaded {
  ULONG flags;
  const void *full_name, *base_name;
  uint8_t *base;
  ULONG size;
};
enum { UNLOADED = 2 };

/* Called for each DLL that is unloaded, whatever the cause, with the loader locked: another DLL may soon lie at the
 * same address. */
static void CALLBACK on_change(ULONG reason, const struct unloaded *dll, void *context) {
  uint64_t base = (uint64_t)(ULONG_PTR)dll->base;
  (void)context;
  if (reason != UNLOADED) return;
  for (uint32_t i = 0; i < CHUNKS; i++) {
    struct zb_entry *chunk = chunks[i];
    for (uint32_t j = 0; chunk && j < CHUNK; j++)
      if (zb_load(&chunk[j].state) == ENTRY_READY && chunk[j].address - base < dll->size) zb_store(&chunk[j].state, ENTRY_UNLOADED);
  }
}

int zb_watch_unloads(void) {
  static void *cookie;
  LONG(NTAPI * watch)
  (ULONG, void CALLBACK (*)(ULONG, const struct unloaded *, void *), void *, void **) = zb_of_ntdll("LdrRegisterDllNotification");
  return cookie || (watch && watch(0, on_change, NULL, &cookie) == 0);
}
