/* Arguments by value, by pointer, and in structures of both sizes. */
#include <windows.h>
#define API __declspec(dllexport)

struct small {
  int a, b;
};
struct inner {
  short c;
  double d[2];
};
struct large {
  struct small s;
  struct inner i;
  const int *p;
};

API int same(int v) { return v; }
API int slow(int milliseconds) {
  Sleep(milliseconds);
  return milliseconds;
}
API double scalars(signed char a, unsigned long long b, double c, float d) { return a + (double)b + c + d; }
API int small(struct small s) { return s.a * 1000 + s.b; }
API double large(struct large l) { return l.s.a + l.s.b + l.i.c + l.i.d[0] + l.i.d[1] + (l.p ? *l.p : 0); }
API int pointed(const int *p) { return *p; }
API const void *address(const void *p) { return p; }
API int sum(const int *p, int n) {
  int total = 0;
  for (int i = 0; i < n; i++) total += p[i];
  return total;
}
API int each(int (*f)(int), int n) {
  int total = 0;
  for (int i = 0; i < n; i++) total += f(i);
  return total;
}
API void set(int *p, int v) { *p = v; }
