/* A DLL that knows it runs on Linux: it makes system calls of its own, which Wine does not see. x86-64 only. */
#include <stdint.h>

__declspec(dllexport) int64_t
    linux_call(int64_t number, const void *a, const void *b, const void *c, const void *d, const void *e) {
  int64_t result;
  register const void *r10 __asm__("r10") = d;
  register const void *r8 __asm__("r8") = e;
  register const void *r9 __asm__("r9") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
