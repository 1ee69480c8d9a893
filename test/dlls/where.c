/* Tells on which thread it was loaded. */
#include <windows.h>

static DWORD loader;
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) loader = GetCurrentThreadId();
  return TRUE;
}
__declspec(dllexport) DWORD loaded_on(void) { return loader; }
