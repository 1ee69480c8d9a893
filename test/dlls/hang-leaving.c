/* A DLL whose clean-up never ends. */
#include <windows.h>
__declspec(dllexport) int one(void) { return 1; }
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_DETACH) Sleep(INFINITE);
  return TRUE;
}
