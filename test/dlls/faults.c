/* Routines that misbehave. */
#include <stdint.h>
#include <stdlib.h>
#include <windows.h>
#define API __declspec(dllexport)

API int read_at(uint64_t address) { return *(volatile int *)address; }
API int write_at(uint64_t address) { return *(volatile int *)address = 1; }
API int divide(volatile int a, volatile int b) { return a / b; }
API void raise_exception(uint32_t code) { RaiseException(code, 0, 0, 0); }

__attribute__((noinline)) API int overflow(volatile int depth) {
  volatile char block[4096];
  block[0] = (char)depth;
  return overflow(depth + 1) + block[0];
}
API void exit_with(uint32_t code) { ExitProcess(code); }
API void terminate_with(uint32_t code) { TerminateProcess(GetCurrentProcess(), code); }
API int hang(int milliseconds) {
  Sleep(milliseconds);
  return milliseconds;
}

static void print_to(DWORD where, int size, char letter) {
  HANDLE file = GetStdHandle(where);
  char line[1024];
  memset(line, letter, sizeof line);
  line[sizeof line - 1] = '\n';
  for (int done = 0; done < size;) {
    DWORD written = 0;
    if (!WriteFile(file, line, sizeof line, &written, 0)) return;
    done += written;
  }
}
API int print_out(int size) {
  print_to(STD_OUTPUT_HANDLE, size, 'o');
  return size;
}
API int print_error(int size) {
  print_to(STD_ERROR_HANDLE, size, 'e');
  return size;
}
/* Touches a bad address in each row that `every` divides. */
API int maybe(int row, int every) { return row % every == 0 ? *(volatile int *)(uint64_t)16 : row * 2; }
API int add(int a, int b) { return a + b; }
