/* Which errno a routine sets: each C runtime has its own, and a DLL uses that of the runtime that it imports from. */
#include "internal.h"

typedef int *location(void);

/* The function of a runtime that gives errno's address: `_errno` in Microsoft's, `__errno` in those of Cygwin and
 * MSYS2. */
static location *of_runtime(HMODULE module) {
  FARPROC found = GetProcAddress(module, "_errno");
  return (location *)(void *)(found ? found : GetProcAddress(module, "__errno"));
}

/* The same for a module that imports from a runtime; NULL where it imports from none: it has a runtime inside, or
 * needs none. */
static location *of_imports(const uint8_t *module) {
  location *found = NULL;
  const IMAGE_IMPORT_DESCRIPTOR *import = zb_imports(module);
  for (; import && !found && import->Name && import->FirstThunk; import++) {
    HMODULE runtime = GetModuleHandleA((const char *)module + import->Name);
    if (runtime) found = of_runtime(runtime);
  }
  return found;
}

location *zb_errno_of(uint64_t routine) {
  HMODULE module;
  location *found = NULL;
  DWORD how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (GetModuleHandleExW(how, (const wchar_t *)(ULONG_PTR)routine, &module) && !(found = of_runtime(module)))
    found = of_imports((const uint8_t *)module);
  return found ? found : zb.errno_location;
}
