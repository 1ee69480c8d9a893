/* Leaves the processor otherwise than it was: the direction flag, both floating-point units' modes, values on the x87 stack. */
#include <stdint.h>
#include <windows.h>
#define API __declspec(dllexport)

static void round_to_zero(void) {
  uint32_t mxcsr = 0x7F80;
  uint16_t x87 = 0x0F7F;
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1" ::"m"(mxcsr), "m"(x87));
}
BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self, (void)reserved;
  if (reason == DLL_PROCESS_ATTACH) round_to_zero();
  return TRUE;
}
API int backwards(int v) {
  __asm__ volatile("std");
  return v;
}
API double rounding(double v) {
  round_to_zero();
  return v;
}
API void fill_x87(void) { __asm__ volatile("fld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1"); }
API double third(double v) { return v / 3; }
API double third_x87(double v) {
  volatile long double result = v;
  return (double)(result / 3);
}
API int length(const char *text) { /* as a compiler may write it */
  size_t left = (size_t)-1;
  __asm__ volatile("repne scasb" : "+D"(text), "+c"(left) : "a"(0) : "cc", "memory");
  return (int)(~left - 1);
}
API int backwards_in(int (*f)(int), int v) { return f(v) + length("four"); }
