/* Numbers in and out: every width, many parameters, ordinals, data. */
#include <stdarg.h>
#include <stdint.h>
#include <windows.h>
#define API __declspec(dllexport)

#define SAME(name, type) \
  API type same_##name(type value) { return value; }
SAME(int8, int8_t)
SAME(uint8, uint8_t)
SAME(int16, int16_t)
SAME(uint16, uint16_t)
SAME(int32, int32_t)
SAME(uint32, uint32_t)
SAME(int64, int64_t)
SAME(uint64, uint64_t)
SAME(float, float)
SAME(double, double)
SAME(bool, _Bool)
SAME(char, char)
SAME(wchar, wchar_t)
SAME(pointer, void *)

API int add(int a, int b) { return a + b; }
API int __stdcall subtract(int a, int b) { return a - b; }
API int negative(void) { return -5; }
API void nothing(void) {}

/* Integers and floats in turn: each fifth and later parameter is on the stack. */
API double mix(int8_t a, double b, int64_t c, float d, uint8_t e, double f, int16_t g, uint32_t h) {
  return a + 2 * b + 3.0 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8.0 * h;
}

/* 248 bytes of arguments: more than a slot has room for. */
API double many(double a, int b, double c, int d, double e, int f, double g, int h, double i, int j, double k, int l, double m,
                int n, double o, int p, double q, int r, double s, int t, double u, int v, double w, int x, double y, int z,
                double aa, int ab, double ac, int ad, double ae) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n + 15 * o +
         16 * p + 17 * q + 18 * r + 19 * s + 20 * t + 21 * u + 22 * v + 23 * w + 24 * x + 25 * y + 26 * z + 27 * aa + 28 * ab +
         29 * ac + 30 * ad + 31 * ae;
}

API int sum_variadic(int count, ...) {
  va_list list;
  int sum = 0;
  va_start(list, count);
  while (count-- > 0) sum += va_arg(list, int);
  va_end(list);
  return sum;
}

API int32_t counter = 42;
API double ratio = 0.25;
API int32_t bump(void) { return ++counter; }

/* Exported by number 77 alone: see numbers.def. */
int by_number(int a) { return a * 77; }

/* as COM has them; result_code@4 in 32 bits */
API HRESULT __stdcall result_code(HRESULT code) { return code; }
API void set_last(uint32_t code) { SetLastError(code); }
API uint32_t last(void) { return GetLastError(); }
API void *no_pointer(void) { return 0; }
API int add_named_then(int a) { return a; }
API int then(int a) { return a + 1000; }

/* What order calls came in. */
static int32_t place;
API int32_t next_place(void) { return place++; }
API void reset_place(void) { place = 0; }
API int32_t take_place(int32_t expected) { return place++ == expected; }
