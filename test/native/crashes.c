/* Routines that die: the reply says how, and the loop goes on. */
#include "node.h"
#include <stdlib.h>

static int32_t peek(const int32_t *at) { return *at; }
static int32_t divide(int32_t a, int32_t b) { return a / b; }
static void illegal(void) { __asm__ volatile("ud2"); }
static void stop(void) { __asm__ volatile("int3"); }
static void raise(uint32_t code) { RaiseException(code, 0, 0, NULL); }
static void final(uint32_t code) { RaiseException(code, EXCEPTION_NONCONTINUABLE, 0, NULL); }
static volatile int depth_limit = 1;
static int __attribute__((noinline)) deep(int n) {
  volatile char much[512];
  much[n & 511] = 1;
  return depth_limit ? deep(n + 1) + much[3] : 0;
}
static double spoil(void) { /* leaves the x87 stack full and rounding changed */
  unsigned mode = 0x7F80;
  unsigned short control = 0x0F7F;
  __asm__ volatile("fld1;fld1;fld1;fld1;fld1;fld1;fld1;ldmxcsr %0;fldcw %1;std" : : "m"(mode), "m"(control));
  static volatile int *volatile nowhere = (volatile int *)8;
  *nowhere = 1;
  return 0;
}
static double third(double a) { return a / 3; }

#ifdef __i386__
/* Overwrites the chain of handlers. xor eax, eax; mov dword ptr fs:[eax], 3; mov [eax], eax */
static const uint8_t wild[] = {0x31, 0xC0, 0x64, 0xC7, 0x00, 3, 0, 0, 0, 0x89, 0x00, 0xC3};
/* Leads it in a circle. push 0; push esp; mov [esp], esp; mov fs:[0], esp; xor eax, eax; mov [eax], eax */
static const uint8_t misled[] = {0x6A, 0, 0x54, 0x89, 0x24, 0x24, 0x64, 0x89, 0x25, 0, 0, 0, 0, 0x31, 0xC0, 0x89, 0x00, 0xC3};
#else
/* Without a function table: push rbp; mov ebp, 3; sub rsp, 0x40; xor eax, eax; mov [rsp], rax; mov [rsp+0x40], rax; mov [rax], eax */
static const uint8_t wild[] = {0x55, 0xBD, 3,    0,    0,    0,    0x48, 0x83, 0xEC, 0x40, 0x31, 0xC0,
                               0x48, 0x89, 0x04, 0x24, 0x48, 0x89, 0x44, 0x24, 0x40, 0x89, 0x00, 0xC3};
/* The same, but what lies on the stack looks like a return address into kernel32: the walk takes a wrong turn. rcx = that address */
static const uint8_t misled[] = {0x48, 0x83, 0xEC, 0x48, 0x48, 0x89, 0x0C, 0x24, 0x48, 0xC7,
                                 0xC5, 0,    0,    0,    0,    0x31, 0xC0, 0x89, 0x00, 0xC3};
#endif

static void alive(const char *what) { check(CALL(1, 20, 22).result == 42, what); }

static uint64_t code_of(const uint8_t *bytes, size_t size) {
  uint8_t *page = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
  memcpy(page, bytes, size);
  return ADDRESS(page);
}

void test_crashes(void) {
  struct answer a;
  HMODULE kernel = GetModuleHandleA("kernel32.dll");
  zb_routine(20, ADDRESS(peek), 0, 0, "p", 'i');
  zb_routine(21, ADDRESS(divide), 0, 0, "ii", 'i');
  zb_routine(22, ADDRESS(illegal), 0, 0, "", 'v');
  zb_routine(23, ADDRESS(stop), 0, 0, "", 'v');
  zb_routine(24, ADDRESS(raise), 0, 0, "I", 'v');
  zb_routine(25, ADDRESS(deep), 0, 0, "i", 'i');
  zb_routine(26, ADDRESS(spoil), 0, 0, "", 'd');
  zb_routine(27, ADDRESS(third), 0, 0, "d", 'd');
  zb_routine(28, code_of(wild, sizeof wild), 0, 0, "", 'v');
  zb_routine(29, 16, 0, 0, "", 'v');
  zb_routine(30, ADDRESS(GetProcAddress(kernel, "IsBadReadPtr")), 1, 0, "pp", 'i');
  zb_routine(31, ADDRESS(final), 0, 0, "I", 'v');
  zb_routine(32, code_of(misled, sizeof misled), 0, 0, "p", 'v');
  for (int i = 0; i < 3; i++) {
    a = CALL(20, 0x1234);
    check(a.status == 1 && a.code == 0xC0000005 && a.result == 0x1234, "access violation");
    alive("after an access violation");
    a = CALL(21, 1, 0);
    check(a.status == 1 && a.code == 0xC0000094 && a.result == ~0ull, "division by zero");
    a = call(22, 0, NULL);
    check(a.status == 1 && a.code == 0xC000001D, "illegal instruction");
    a = call(23, 0, NULL);
    check(a.status == 1 && a.code == 0x80000003, "breakpoint");
    a = CALL(24, 0xE06D7363);
    check(a.status == 1 && a.code == 0xE06D7363, "C++ exception");
    a = CALL(24, 0x1234567);
    check(a.status == 1 && a.code == 0x1234567, "an exception of its own");
    a = CALL(31, 0xE0000001);
    check(a.status == 1 && a.code == 0xE0000001, "an exception that cannot be continued");
    a = CALL(24, 0x406D1388);
    check(a.status == 0, "a thread's name");
    a = CALL(24, 0x40010006);
    check(a.status == 0, "debug output");
    a = CALL(25, 0);
    check(a.status == 1 && a.code == 0xC00000FD, "stack overflow");
    alive("after a stack overflow");
    a = call(26, 0, NULL);
    check(a.status == 1 && a.code == 0xC0000005 && a.result == 8, "a crash that leaves modes behind");
    a = CALL(27, bits_of(1));
    check(a.result == bits_of(1.0 / 3), "rounding as before");
    a = call(28, 0, NULL);
    check(a.status == 1 && a.code == 0xC0000005 && a.result == 0, "code without a function table");
    a = CALL(32, ADDRESS(GetProcAddress(kernel, "CreateFileW")) + 8);
    check(a.status == 1 && a.code == 0xC0000005, "a stack that misleads");
    a = call(29, 0, NULL);
    check(a.status == 1 && a.code == 0xC0000005, "a call of nowhere");
    a = CALL(30, 8, 4);
    check(a.status == 0 && a.result == 1, "an exception that the DLL handles itself");
  }
  alive("after all of them");
}
