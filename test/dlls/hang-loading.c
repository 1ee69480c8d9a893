/* A DLL whose start never ends. */
#include <windows.h>
__declspec(dllexport) int one(void) { return 1; }
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) Sleep(INFINITE);
  return TRUE;
}
