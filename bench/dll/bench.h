/* The routines that every side of the benchmark calls. */
#ifndef BENCH_H
#define BENCH_H
#include <stdint.h>

#ifdef BENCH_BUILD
#define API __declspec(dllexport)
#else
#define API __declspec(dllimport)
#endif

struct row {
  double x, y, z;
  int32_t id, flags;
  int64_t sum;
}; /* 40 bytes */

struct fields {
  int8_t a;
  uint8_t b;
  int16_t c;
  uint16_t d;
  int32_t e;
  uint32_t f;
  int64_t g;
  float h;
  double i;
  double total;
};

struct image {
  int16_t *data;
  int16_t width, height;
};

typedef int (*number_callback)(int);
typedef int16_t (*section_callback)(struct image *);

API int add_int(int a, int b);
API void double_floats(const float *in, float *out, int n);
API void sum_fields(struct fields *f);
API void negate(double *a, int n);
API int64_t call_many(number_callback callback, int n);
API void filter_image(const struct image *in, struct image *out, section_callback callback);
API void step_row(struct row *r);
API double iterate(double x, int steps); /* 500 steps: about a microsecond */
API int crash_every(int i, int every);

/* The limit: the same routines called in a loop inside the DLL. */
API void loop_add(const int *a, const int *b, int *out, int n);
API void loop_ten(const float *in, float *out, int n);
API void loop_fields(struct fields *f, int n);
API void loop_negate(double *a, int n, int times);
API int64_t loop_callback(int n);
API void loop_filter(const struct image *in, struct image *out, int n);
API void loop_iterate(const double *x, double *out, int n);
API void loop_rows(struct row *rows, int n);

#endif
