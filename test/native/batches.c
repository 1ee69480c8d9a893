/* Batches: kinds, strides, crashes by row, last errors, and ranges that they may not touch. */
#include "node.h"

static int32_t add(int32_t a, int32_t b) { return a + b; }
static double fma2(double a, double b) { return a * 2 + b; }
static int64_t six(int8_t a, uint8_t b, int16_t c, uint16_t d, uint32_t e, int64_t f) { return a + b + c + d + e + f; }
static float blend(float a, double b, int32_t c) { return (float)(a + b + c); }
static int32_t peek(const int32_t *at) { return *at; }
static int32_t divide(int32_t a, int32_t b) { return a / b; }
static int32_t note(int32_t a) {
  SetLastError((DWORD)a);
  return a;
}
static int16_t little(int16_t a, uint8_t b) { return (int16_t)(a - b); }

enum { ROWS = 1000 };

static void widths(void) {
  int32_t *a = (void *)arena(0), *b = (void *)arena(0x10000), *out = (void *)arena(0x20000);
  struct batch batch = {40, 0, ROWS, 4, out, NULL, NULL, 0, 'i', 2, {{a, 4, 'i'}, {b, 0, 'i'}}};
  int good = 1;
  for (int i = 0; i < ROWS; i++) a[i] = i - 500, out[i] = 0;
  b[0] = 7;
  struct answer r = run_batch(&batch);
  for (int i = 0; i < ROWS; i++) good &= out[i] == i - 493;
  check(r.status == 0 && r.result == ROWS && r.code == 0 && good, "two ints, one broadcast");
  batch.columns[0].pointer = a + ROWS - 1, batch.columns[0].stride = -4, batch.result_stride = 8;
  run_batch(&batch), good = 1;
  for (int i = 0; i < ROWS; i++) good &= out[2 * i] == ROWS - 1 - i - 493;
  check(good, "a column read backwards, results apart");

  double *x = (void *)arena(0x40000), *y = (void *)arena(0x50000), *z = (void *)arena(0x60000);
  for (int i = 0; i < ROWS; i++) x[i] = i, y[i] = 0.5 * i;
  struct batch doubles = {41, 0, ROWS, 8, z, NULL, NULL, 0, 'd', 2, {{x, 8, 'd'}, {y, 8, 'd'}}};
  run_batch(&doubles), good = 1;
  for (int i = 0; i < ROWS; i++) good &= z[i] == i * 2.5;
  check(good, "two doubles");

  int64_t *wide = (void *)arena(0x70000);
  static const uint8_t row[24] = {0xFF, 2, 0xFD, 0xFF, 4, 0, 0, 0, 5, 0, 0, 0x80};
  memcpy(arena(0x1000), row, 24);
  struct batch mixed = {42,
                        0,
                        3,
                        8,
                        wide,
                        NULL,
                        NULL,
                        0,
                        'q',
                        6,
                        {{arena(0x1000), 0, 'b'},
                         {arena(0x1001), 0, 'B'},
                         {arena(0x1002), 0, 'h'},
                         {arena(0x1004), 0, 'H'},
                         {arena(0x1008), 0, 'I'},
                         {x + 600, 0, 'q'}}};
  run_batch(&mixed);
  check(wide[2] == -1 + 2 - 3 + 4 + 0x80000005ll + (int64_t)bits_of(600), "six kinds of integers");

  float *f = (void *)arena(0x80000), *g = (void *)arena(0x90000);
  for (int i = 0; i < ROWS; i++) f[i] = 0.25f * i, a[i] = i;
  struct batch floats = {43, 0, ROWS, 4, g, NULL, NULL, 0, 'f', 3, {{f, 4, 'f'}, {y, 8, 'd'}, {a, 4, 'i'}}};
  run_batch(&floats), good = 1;
  for (int i = 0; i < ROWS; i++) good &= g[i] == 1.75f * i;
  check(good, "float, double, int");

  struct batch structures = {44, 0, ROWS, 4, out, NULL, NULL, 0, 'i', 1, {{a, 4, '&'}}};
  run_batch(&structures), good = 1;
  for (int i = 0; i < ROWS; i++) good &= out[i] == i;
  check(good, "addresses of rows");

  int16_t *s = (void *)arena(0xA0000);
  struct batch littles = {47, 0, 10, 2, s, NULL, NULL, 0, 'h', 2, {{a, 4, 'h'}, {a, 4, 'B'}}};
  s[10] = 77;
  run_batch(&littles);
  check(s[0] == 0 && s[9] == 0 && s[10] == 77, "short results stay in their rows");
  batch.results = NULL;
  check(run_batch(&batch).result == ROWS, "no results wanted");
  batch.rows = 0;
  check(run_batch(&batch).status == 0, "no rows");
}

static void crashing(void) {
  int32_t *a = (void *)arena(0), *b = (void *)arena(0x10000), *out = (void *)arena(0x20000);
  struct failure *failures = (void *)arena(0x30000);
  uint32_t *errors = (void *)arena(0x40000);
  struct batch batch = {45, 0, ROWS, 4, out, failures, NULL, 100, 'i', 2, {{a, 4, 'i'}, {b, 4, 'i'}}};
  int good = 1;
  for (int i = 0; i < ROWS; i++) a[i] = 6 * i, b[i] = i % 100 == 99 ? 0 : 3, out[i] = -1;
  struct answer r = run_batch(&batch);
  for (int i = 0; i < ROWS; i++) good &= out[i] == (i % 100 == 99 ? 0 : 2 * i);
  for (uint32_t i = 0; i < r.code; i++)
    good &= failures[i].row == 99 + 100 * i && failures[i].code == 0xC0000094 && failures[i].address == ~0ull;
  check(r.status == 0 && r.code == 10 && r.result == ROWS && good, "every hundredth row crashes");
  batch.capacity = 3;
  r = run_batch(&batch);
  check(r.code == 3 && r.result == 300, "out of error records");
  batch.capacity = 0;
  r = run_batch(&batch);
  check(r.status == 0 && r.code == 0 && r.result == 99, "no error records");

  for (int i = 0; i < ROWS; i++) a[i] = i;
  struct batch pointers = {44, 0, 4, 4, out, failures, NULL, 10, 'i', 1, {{a, 8, 'p'}}};
  uint64_t *p = (void *)a;
  p[0] = ADDRESS(out + 20), p[1] = 0x18, p[2] = ADDRESS(out + 20), p[3] = 3;
  out[20] = 5;
  r = run_batch(&pointers);
  check(r.code == 2 && out[0] == 5 && out[1] == 0 && out[2] == 5 && out[3] == 0 && failures[0].address == 0x18 &&
            failures[1].row == 3,
        "bad pointers in a column");

  for (int i = 0; i < ROWS; i++) a[i] = i;
  struct batch last = {46, BATCH_LAST_ERRORS, ROWS, 4, out, NULL, errors, 0, 'i', 1, {{a, 4, 'i'}}};
  r = run_batch(&last), good = 1;
  for (int i = 0; i < ROWS; i++) good &= errors[i] == (uint32_t)i;
  check(good && r.last_error == ROWS - 1, "last error per row");
}

static int refused(struct batch batch) {
  struct answer a = run_batch(&batch);
  return a.status == 2 && a.code == REFUSED_MALFORMED;
}

static void ranges(void) {
  int32_t *a = (void *)arena(0), *out = (void *)arena(0x20000);
  struct batch good = {40, 0, 10, 4, out, NULL, NULL, 0, 'i', 2, {{a, 4, 'i'}, {a, 4, 'i'}}}, b;
  check(!refused(good), "the good one");
#define BAD(change, what) b = good, change, check(refused(b), what)
  BAD(b.columns[1].pointer = segment + segment_size - 8, "a column past the end");
  BAD(b.columns[1].pointer = (void *)8, "a column at no memory");
  BAD(b.columns[1].kind = 'x', "a column of no kind");
  BAD(b.columns[1].kind = 'i' + 0x100000000, "a kind with more bits");
  BAD(b.columns[1].stride = INT64_MIN, "a stride that overflows");
  BAD((b.columns[1].stride = -4, b.columns[1].pointer = segment + 4), "a column before the segment");
  BAD(b.rows = 0xFFFFFFFF, "too many rows");
  BAD(b.results = segment + 0x40, "results in the control block");
  BAD(b.results = segment + REPLY_OFFSET - 8, "results that reach into the replies");
  BAD(b.results = (void *)ADDRESS(add), "results in code");
  BAD(b.result_kind = 'q', "another result kind");
  BAD((b.errors = (void *)16, b.capacity = 1), "error records at no memory");
  BAD((b.flags = 1, b.last_errors = segment + 8), "last errors in the control block");
  int32_t *own = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  b = good, b.results = own, own[9] = 1, a[9] = 4;
  check(!refused(b) && own[9] == 8, "results in memory of the process");
  b.rows = 1025;
  check(refused(b), "results past that memory");
}
#undef BAD

void test_batches(void) {
  zb_routine(40, ADDRESS(add), 0, 0, "ii", 'i');
  zb_routine(41, ADDRESS(fma2), 0, 0, "dd", 'd');
  zb_routine(42, ADDRESS(six), 0, 0, "bBhHIq", 'q');
  zb_routine(43, ADDRESS(blend), 0, 0, "fdi", 'f');
  zb_routine(44, ADDRESS(peek), 0, 0, "p", 'i');
  zb_routine(45, ADDRESS(divide), 0, 0, "ii", 'i');
  zb_routine(46, ADDRESS(note), 0, 0, "i", 'i');
  zb_routine(47, ADDRESS(little), 0, 0, "hB", 'h');
  widths();
  crashing();
  ranges();
}
