/* Imports that no DLL exports. Windows refuses to load such a module; Wine gives it a stub that raises an exception
 * when it is called. Source: "PE Format" of Microsoft's documentation, "The .idata Section". */
#include "internal.h"

enum { MOST_MODULES = 256 };
struct walk {
  const uint8_t *seen[MOST_MODULES];
  uint32_t count;
  struct zb_import *unmet;
};

/* Wine marks its own DLLs behind the DOS header. What those lack is reported only when it is called. */
static int is_wines(const uint8_t *module) { return !memcmp(module + 0x40, "Wine builtin DLL", 16); }

static int is_new(struct walk *walk, const uint8_t *module) {
  for (uint32_t i = 0; i < walk->count; i++)
    if (walk->seen[i] == module) return 0;
  if (walk->count == MOST_MODULES) return 0;
  walk->seen[walk->count++] = module;
  return 1;
}

/* The table of what a module imports; NULL where it has none, or has wiped its headers, as some do once they are loaded. */
const IMAGE_IMPORT_DESCRIPTOR *zb_imports(const uint8_t *module) {
  const IMAGE_DOS_HEADER *dos = (const void *)module;
  const IMAGE_NT_HEADERS *header = (const void *)(module + dos->e_lfanew);
  if (dos->e_magic != IMAGE_DOS_SIGNATURE || header->Signature != IMAGE_NT_SIGNATURE) return NULL;
  DWORD at = header->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
  return at ? (const void *)(module + at) : NULL;
}

static int find_unmet(struct walk *walk, const uint8_t *module) {
  const IMAGE_IMPORT_DESCRIPTOR *import = zb_imports(module);
  if (!import || !is_new(walk, module)) return 0;
  for (; import->Name && import->FirstThunk; import++) {
    const char *name = (const char *)module + import->Name;
    const uint8_t *needed = (const uint8_t *)GetModuleHandleA(name);
    if (!needed || is_wines(needed)) continue;
    /* names stay in the first table; the second has been replaced by addresses */
    if (!import->OriginalFirstThunk) continue;
    for (const IMAGE_THUNK_DATA *thunk = (const void *)(module + import->OriginalFirstThunk); thunk->u1.AddressOfData; thunk++) {
      int by_ordinal = IMAGE_SNAP_BY_ORDINAL(thunk->u1.Ordinal);
      const char *routine = by_ordinal ? (const char *)(ULONG_PTR)IMAGE_ORDINAL(thunk->u1.Ordinal)
                                       : ((const IMAGE_IMPORT_BY_NAME *)(module + thunk->u1.AddressOfData))->Name;
      if (GetProcAddress((HMODULE)needed, routine)) continue;
      walk->unmet->module = (uint64_t)(ULONG_PTR)module;
      walk->unmet->dll = name;
      walk->unmet->routine = by_ordinal ? NULL : routine;
      walk->unmet->ordinal = by_ordinal ? (uint32_t)IMAGE_ORDINAL(thunk->u1.Ordinal) : 0;
      return 1;
    }
    if (find_unmet(walk, needed)) return 1;
  }
  return 0;
}

ZB_API int32_t zb_unmet_import(uint64_t module, struct zb_import *unmet) {
  const uint8_t *base = (const uint8_t *)(ULONG_PTR)module;
  struct walk walk;
  walk.count = 0;
  walk.unmet = unmet;
  /* the low bits are set for a module that was loaded as data */
  return (module & 3) || is_wines(base) ? 0 : find_unmet(&walk, base);
}
