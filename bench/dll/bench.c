#define BENCH_BUILD
#include "bench.h"

int add_int(int a, int b) { return a + b; }

void double_floats(const float *in, float *out, int n) {
  for (int i = 0; i < n; i++) out[i] = in[i] * 2;
}

void sum_fields(struct fields *f) { f->total = f->a + f->b + f->c + f->d + f->e + (double)f->f + (double)f->g + f->h + f->i; }

void negate(double *a, int n) {
  for (int i = 0; i < n; i++) a[i] = -a[i];
}

int64_t call_many(number_callback callback, int n) {
  int64_t sum = 0;
  for (int i = 0; i < n; i++) sum += callback(i);
  return sum;
}

/* Calls back once a pixel with the 3 by 3 section around it; outside the image there are zeros. */
void filter_image(const struct image *in, struct image *out, section_callback callback) {
  int16_t pixels[9];
  for (int y = 0; y < in->height; y++)
    for (int x = 0; x < in->width; x++) {
      for (int k = 0; k < 9; k++) {
        int u = x + k % 3 - 1, v = y + k / 3 - 1;
        pixels[k] = u < 0 || v < 0 || u >= in->width || v >= in->height ? 0 : in->data[v * in->width + u];
      }
      struct image section = {pixels, 3, 3};
      out->data[y * in->width + x] = callback(&section);
    }
}

/* A routine that does something: the logistic map, each step depending on the one before. */
double iterate(double x, int steps) {
  for (int i = 0; i < steps; i++) x = 3.7 * x * (1 - x);
  return x;
}

void step_row(struct row *r) {
  r->z = r->x + r->y;
  r->sum += r->id;
}

int crash_every(int i, int every) {
  if (i % every == 0) *(volatile int *)0 = i;
  return i;
}

/* Through volatile pointers, so that each is a real call, as it is from outside. */
static int (*volatile add_call)(int, int) = add_int;
static void (*volatile floats_call)(const float *, float *, int) = double_floats;
static void (*volatile fields_call)(struct fields *) = sum_fields;
static void (*volatile negate_call)(double *, int) = negate;
static void (*volatile row_call)(struct row *) = step_row;
static void (*volatile filter_call)(const struct image *, struct image *, section_callback) = filter_image;

void loop_add(const int *a, const int *b, int *out, int n) {
  for (int i = 0; i < n; i++) out[i] = add_call(a[i], b[i]);
}

static double (*volatile iterate_call)(double, int) = iterate;

void loop_iterate(const double *x, double *out, int n) {
  for (int i = 0; i < n; i++) out[i] = iterate_call(x[i], 500);
}

void loop_ten(const float *in, float *out, int n) {
  for (int i = 0; i < n; i++) floats_call(in, out, 10);
}

void loop_fields(struct fields *f, int n) {
  for (int i = 0; i < n; i++) fields_call(f);
}

void loop_negate(double *a, int n, int times) {
  for (int i = 0; i < times; i++) negate_call(a, n);
}

static int twice(int i) { return 2 * i; }
static int (*volatile twice_pointer)(int) = twice;

int64_t loop_callback(int n) { return call_many(twice_pointer, n); }

static int16_t edges(struct image *s) { return s->data[1] + s->data[3] - 4 * s->data[4] + s->data[5] + s->data[7]; }

void loop_filter(const struct image *in, struct image *out, int n) {
  for (int i = 0; i < n; i++) filter_call(in, out, edges);
}

void loop_rows(struct row *rows, int n) {
  for (int i = 0; i < n; i++) row_call(rows + i);
}
