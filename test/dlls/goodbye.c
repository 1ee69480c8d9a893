/* A DLL that calls back while its process ends, and notes what it got. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#define API __declspec(dllexport)

static int (*kept)(int);
static char notes[512];

static void note(const char *when, int value) {
  FILE *file = kept ? fopen(notes, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s %d\n", when, value);
  fclose(file);
}
static void at_exit(void) { note("atexit", kept ? kept(1) : -1); }

API void keep(int (*callback)(int), const char *path) {
  kept = callback;
  snprintf(notes, sizeof notes, "%s", path);
  atexit(at_exit);
}
API int call_other(int (*callback)(int)) { return callback(1); }
API int call(int value) { return kept(value); }

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_DETACH && kept) note("detach", kept(2));
  return TRUE;
}
