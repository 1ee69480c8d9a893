/* Structures by value of every size from 1 to 64 bytes: as an argument, as a result, and in a callback. */
#define API __declspec(dllexport)

#define SIZE(n)                                                   \
  typedef struct {                                                \
    unsigned char bytes[n];                                       \
  } s##n;                                                         \
  API s##n move##n(int a, int b, int c, s##n s, double d) {       \
    for (int i = 0; i < n; i++) s.bytes[i] += a + b + c + (int)d; \
    return s;                                                     \
  }                                                               \
  API s##n call##n(s##n (*f)(s##n, int, s##n), s##n s) {          \
    s##n result = f(s, 3, s);                                     \
    for (int i = 0; i < n; i++) result.bytes[i] += s.bytes[i];    \
    return result;                                                \
  }
#define EIGHT(a, b, c, d, e, f, g, h) SIZE(a) SIZE(b) SIZE(c) SIZE(d) SIZE(e) SIZE(f) SIZE(g) SIZE(h)
EIGHT(1, 2, 3, 4, 5, 6, 7, 8)
EIGHT(9, 10, 11, 12, 13, 14, 15, 16)
EIGHT(17, 18, 19, 20, 21, 22, 23, 24)
EIGHT(25, 26, 27, 28, 29, 30, 31, 32)
EIGHT(33, 34, 35, 36, 37, 38, 39, 40)
EIGHT(41, 42, 43, 44, 45, 46, 47, 48)
EIGHT(49, 50, 51, 52, 53, 54, 55, 56)
EIGHT(57, 58, 59, 60, 61, 62, 63, 64)
