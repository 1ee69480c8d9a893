/* Calls of every shape, refusals, and last errors. */
#include "node.h"

static int32_t add(int32_t a, int32_t b) { return a + b; }
static double scale(double a, float b, int32_t c) { return a * (double)b + c; }
static float half(float a) { return a / 2; }
static int8_t narrow(int64_t a) { return (int8_t)a; }
static uint16_t wide(int32_t a) { return (uint16_t)a; }
static uint8_t truth(int32_t a) { return a ? 200 : 0; }
static void nothing(void) {}
static double mixed(int32_t a, double b, float c, int64_t d, double e, float f, int8_t g, double h, uint16_t i, int32_t j, double k,
                    float l) {
  return a + 2 * b + 3 * (double)c + 4 * (double)d + 5 * e + 6 * (double)f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k +
         12 * (double)l;
}
/* Is the stack on 16 bytes? In 32 bits a compiler that needs it so makes it so, and only the frame tells. */
static int64_t sum5(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e) {
#ifdef __i386__
  int aligned = ((ULONG_PTR)__builtin_frame_address(0) & 15) == 8;
#else
  volatile __attribute__((aligned(16))) char probe[16];
  int aligned = !((ULONG_PTR)probe & 15);
#endif
  return aligned ? a + 2 * b + 3 * c + 4 * d + 5 * e : -1;
}
static uint64_t error_up(void) {
  SetLastError(GetLastError() + 1);
  return GetLastError();
}
static int errno_up(void) { return ++*_errno(); }
static int variadic(int count, ...) {
  double sum = 0;
  va_list list;
  va_start(list, count);
  for (int i = 0; i < count; i++) sum += va_arg(list, double);
  va_end(list);
  return (int)sum;
}

void test_calls(void) {
  struct answer a;
  zb_routine(1, ADDRESS(add), 0, 0, "ii", 'i');
  zb_routine(2, ADDRESS(scale), 0, 0, "dfi", 'd');
  zb_routine(3, ADDRESS(half), 0, 0, "f", 'f');
  zb_routine(4, ADDRESS(narrow), 0, 0, "q", 'b');
  zb_routine(5, ADDRESS(wide), 0, 0, "i", 'H');
  zb_routine(6, ADDRESS(truth), 0, 0, "i", '?');
  zb_routine(7, ADDRESS(nothing), 0, 0, "", 'v');
  zb_routine(8, ADDRESS(mixed), 0, 0, "idfqdfbdHidf", 'd');
  zb_routine(9, ADDRESS(sum5), 0, 0, "qqqqq", 'q');
  zb_routine(10, ADDRESS(error_up), 0, 1, "", 'Q');
  zb_routine(11, ADDRESS(errno_up), 0, 2, "", 'i');
  zb_routine(12, ADDRESS(variadic), 0, 4, "iddd", 'i');
  zb_undeclared(13);
  zb_routine(4000000, ADDRESS(add), 0, 0, "ii", 'i');
  check(zb_routine(0xFFFFFFFF, 1, 0, 0, "", 'i') == ZB_BAD_NUMBER, "a number beyond the table");
  check(zb_routine(14, 1, 0, 0, "i{8}", 'i') == (sizeof(void *) == 8 ? ZB_BAD_SIGNATURE : 0),
        "structures by value on 32 bits alone");
  for (const char *const *bad = (const char *const[]){"{0}", "{}", "{8", "{-1}", "{99999999}", "{8}}", NULL}; *bad; bad++)
    check(zb_routine(14, 1, 0, 0, *bad, 'i') == ZB_BAD_SIGNATURE, *bad);
  check(zb_routine(14, 1, 0, 0, "ix", 'i') == ZB_BAD_SIGNATURE, "an unknown kind");
  check(zb_routine(14, 1, 0, 0, "i", '&') == ZB_BAD_SIGNATURE, "an unknown result kind");

  a = CALL(1, 2, (uint64_t)-5);
  check(a.status == 0 && (int64_t)a.result == -3, "add");
  a = CALL(4000000, 2, 3);
  check(a.result == 5, "a high number");
  a = CALL(2, bits_of(1.5), bits_of_float(2.5f), 7);
  check(double_of(a.result) == 10.75, "double, float, int");
  a = CALL(3, bits_of_float(3.0f));
  check(a.result == bits_of_float(1.5f), "float");
  a = CALL(4, 0x1FF);
  check(a.result == ~0ull, "signed byte");
  a = CALL(5, 0x1FFFE);
  check(a.result == 0xFFFE, "unsigned short");
  a = CALL(6, 3);
  check(a.result == 1, "bool");
  a = call(7, 0, NULL);
  check(a.status == 0 && a.result == 0, "void");
  a = CALL(8, 1, bits_of(2), bits_of_float(3), 4, bits_of(5), bits_of_float(6), (uint64_t)-7, bits_of(8), 9, (uint64_t)-10,
           bits_of(11), bits_of_float(12));
  check(double_of(a.result) == mixed(1, 2, 3, 4, 5, 6, -7, 8, 9, -10, 11, 12), "twelve mixed arguments");
  a = CALL(9, 1, 2, 3, 4, 5);
  check(a.result == 55, "five integers, aligned stack");
  a = CALL(12, 3, bits_of(1), bits_of(2), bits_of(4));
  check(a.result == 7, "variadic doubles");

  a = CALL(1, 1, 2, 3);
  check(a.status == 2 && a.code == REFUSED_ARGUMENT_COUNT, "too many arguments");
  a = CALL(77, 1);
  check(a.status == 2 && a.code == REFUSED_NO_ROUTINE, "no routine");
  a = CALL(0xFFFFFFF0, 1);
  check(a.status == 2 && a.code == REFUSED_NO_ROUTINE, "no routine, far");
  a = CALL(13, 1);
  check(a.status == 3, "undeclared");
  zb_routine(15, ADDRESS(add), 0, 0, "ii", 'i'), zb_release(15);
  check(CALL(15, 1, 2).code == REFUSED_NO_ROUTINE, "released");

  SetLastError(1234);
  a = call(10, 0, NULL);
  check(a.result == 1 && a.last_error == 1, "private last error begins at 0");
  a = CALL(1, 1, 1);
  a = call(10, 0, NULL);
  check(a.result == 2 && a.last_error == 2, "private last error is kept");
  a = call(11, 0, NULL);
  a = call(11, 0, NULL);
  check(a.result == 2 && a.errno_value == 2, "private errno is kept");

  a = control(13);
  check(a.status == 0 && a.result == 16, "control");
  a = control(99);
  check(a.status == 2 && a.code == REFUSED_MALFORMED, "control refused by its handler");
  uint8_t out[64];
  build_control(out, 13, 0x40, 4096);
  wait_for(publish(KIND_CONTROL, out, 56, 0, 0), &a);
  check(a.status == 2, "a room outside the arena");
  wait_for(publish(KIND_CONTROL, out, 0xFFFFFFF0, 1, ARENA_OFFSET), &a);
  check(a.status == 2, "a length beyond the segment");
  wait_for(publish(KIND_CALL, out, 56, 1, 0x100), &a);
  check(a.status == 2, "a message outside the arena");
  build_control(out, 13, ARENA_OFFSET, 0xFFFFFFF0);
  wait_for(publish(KIND_CONTROL, out, 56, 0, 0), &a);
  check(a.status == 2, "a room beyond the segment");
  wait_for(publish(9, out, 56, 0, 0), &a);
  check(a.status == 2, "an unknown kind of message");

  uint8_t message[64];
  uint32_t length = build_call(message, 1, 2, (uint64_t[]){3, 4}), last = 0;
  for (int i = 0; i < 1000; i++) last = publish(KIND_CALL, message, length, 0, 0);
  check(wait_for(last, &a) && a.result == 7, "a thousand at once");

  HMODULE version = LoadLibraryA("version.dll");
  zb_routine(20, ADDRESS(GetProcAddress(version, "GetFileVersionInfoSizeW")), 1, 0, "pp", 'I');
  zb_routine(21, ADDRESS(GetProcAddress(version, "GetFileVersionInfoSizeW")), 1, 0, "pp", 'I');
  a = CALL(20, 0, 0);
  check(a.status == 0, "a routine of a DLL that is loaded");
  FreeLibrary(version);
  a = CALL(20, 0, 0);
  check(a.status == STATUS_UNLOADED, "a routine of a DLL that has been freed");
  zb_release(20);
  a = CALL(20, 0, 0);
  check(a.status == 2 && a.code == 1, "the same once it is released");
  struct batch rows = {.routine = 21, .rows = 1, .count = 2, .result_kind = 'v'};
  rows.columns[0].kind = rows.columns[1].kind = '&';
  check(run_batch(&rows).status == STATUS_UNLOADED, "its batch");
  a = CALL(1, 2, 3);
  check(a.status == 0 && a.result == 5, "others are as they were");
}
