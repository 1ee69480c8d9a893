/* The DLL that the examples call. Built by scripts/build-examples.sh; any compiler for Windows will do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __declspec(dllexport)

API int add(int a, int b) { return a + b; }

API double mean(const double *values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += values[i];
  return count > 0 ? sum / count : 0;
}

struct point {
  double x, y;
};

API void move(struct point *p, double dx, double dy) {
  p->x += dx;
  p->y += dy;
}

/* The distance of two points, squared, and where the middle is. */
API double between(struct point a, struct point b, struct point *middle) {
  middle->x = (a.x + b.x) / 2;
  middle->y = (a.y + b.y) / 2;
  return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

API int label(char *buffer, size_t size, const char *name, int number) { return snprintf(buffer, size, "%s no. %d", name, number); }

API void sort(int *values, size_t count, int (*compare)(const void *, const void *)) {
  qsort(values, count, sizeof *values, compare);
}

/* Halves the range until the zero of f in it is found. */
API double find_zero(double (*f)(double), double low, double high) {
  for (int i = 0; i < 60; i++) {
    double middle = (low + high) / 2;
    if ((f(low) < 0) == (f(middle) < 0)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

API int collatz(unsigned n) {
  int steps = 0;
  while (n != 1) {
    n = n % 2 ? 3 * n + 1 : n / 2;
    steps++;
  }
  return steps;
}
