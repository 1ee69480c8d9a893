/* Loops for the common shapes of batches on x86-64, compiled once for each: up to four columns of one kind, with loads and stores that
 * know the kind; and integers of any kinds. */
#include "modes.h"
#include "rows.h"

typedef uint64_t (*integer_routine)();
typedef double (*double_routine)();

INLINE double as_double(uint64_t bits) {
  double v;
  memcpy(&v, &bits, 8);
  return v;
}
INLINE uint64_t as_bits(double value) {
  uint64_t v;
  memcpy(&v, &value, 8);
  return v;
}

/* n columns of one kind. Integers sit in integer registers and doubles in xmm registers, which is where a routine with
 * such a signature looks: no need for both. */
INLINE void same(struct zb_batch *batch, const int n, const char kind, const char result) {
  const uint32_t rows = batch->rows;
  const integer_routine integers = (integer_routine)(ULONG_PTR)batch->entry->address;
  const double_routine doubles = (double_routine)(ULONG_PTR)batch->entry->address;
  volatile uint32_t *const running = batch->running;
  const uint8_t *p0 = 0, *p1 = 0, *p2 = 0, *p3 = 0;
  int64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  const uint32_t mxcsr = zb_mxcsr();
  uint32_t row = batch->row;
  uint8_t *out = batch->results + row * batch->result_stride;
  const uint64_t step = batch->result_stride;
  if (n > 0) s0 = batch->columns[0].stride, p0 = batch->columns[0].pointer + row * s0;
  if (n > 1) s1 = batch->columns[1].stride, p1 = batch->columns[1].pointer + row * s1;
  if (n > 2) s2 = batch->columns[2].stride, p2 = batch->columns[2].pointer + row * s2;
  if (n > 3) s3 = batch->columns[3].stride, p3 = batch->columns[3].pointer + row * s3;
  for (; row < rows; row++) {
    uint64_t bits;
    batch->row = row;
    zb_store_row(running, row);
#define L(c) zb_load_value((uint32_t)kind, p##c)
#define D(c) as_double(L(c))
#define PASS(function, X) \
  (n == 1 ? function(X(0)) : n == 2 ? function(X(0), X(1)) : n == 3 ? function(X(0), X(1), X(2)) : function(X(0), X(1), X(2), X(3)))
    if (kind == 'd') {
      typedef double (*d1)(double), (*d2)(double, double), (*d3)(double, double, double), (*d4)(double, double, double, double);
      typedef uint64_t (*e1)(double), (*e2)(double, double), (*e3)(double, double, double), (*e4)(double, double, double, double);
      if (result == 'd')
        bits = as_bits(n == 1   ? ((d1)doubles)(D(0))
                       : n == 2 ? ((d2)doubles)(D(0), D(1))
                       : n == 3 ? ((d3)doubles)(D(0), D(1), D(2))
                                : ((d4)doubles)(D(0), D(1), D(2), D(3)));
      else
        bits = n == 1   ? ((e1)integers)(D(0))
               : n == 2 ? ((e2)integers)(D(0), D(1))
               : n == 3 ? ((e3)integers)(D(0), D(1), D(2))
                        : ((e4)integers)(D(0), D(1), D(2), D(3));
    } else {
      bits = PASS(integers, L);
    }
    if (kind == 'd') zb_settle_mxcsr(mxcsr);
    zb_store_value((uint32_t)result, out, bits);
    p0 += s0, p1 += s1, p2 += s2, p3 += s3, out += step;
  }
  batch->row = row;
}

/* Up to four integer columns of different kinds, integer result. */
static void integers(void *argument) {
  struct zb_batch *batch = argument;
  const integer_routine routine = (integer_routine)(ULONG_PTR)batch->entry->address;
  uint64_t values[4] = {0};
  for (uint32_t row = batch->row; row < batch->rows; row++) {
    batch->row = row;
    zb_store_row(batch->running, row);
    for (uint32_t c = 0; c < batch->count; c++)
      values[c] = zb_load_value((uint32_t)batch->columns[c].kind, batch->columns[c].pointer + row * batch->columns[c].stride);
    zb_store_value(batch->result_kind, batch->results + row * batch->result_stride,
                   routine(values[0], values[1], values[2], values[3]));
  }
  batch->row = batch->rows;
}

/* Tables: */
/* clang-format off */
#define LOOP(n, kind, name, result) \
  static void loop_##n##name##result(void *batch) { same(batch, n, kind, #result[0]); }
#define LOOPS(kind, name, result) LOOP(1, kind, name, result) LOOP(2, kind, name, result) LOOP(3, kind, name, result) LOOP(4, kind, name, result)
LOOPS('i', i, i) LOOPS('i', i, q) LOOPS('i', i, v)
LOOPS('q', q, i) LOOPS('q', q, q) LOOPS('q', q, v)
LOOPS('d', d, d) LOOPS('d', d, i) LOOPS('d', d, v)
#define ROW(name, result) {loop_1##name##result, loop_2##name##result, loop_3##name##result, loop_4##name##result}
static const zb_body loops[3][3][4] = {
    {ROW(i, i), ROW(i, q), ROW(i, v)}, {ROW(q, i), ROW(q, q), ROW(q, v)}, {ROW(d, i), ROW(d, d), ROW(d, v)}};
/* clang-format on */

/* A kind that is loaded and passed alike: i, q or d; 0 for the others. */
static int family(uint64_t kind) {
  return kind == 'i' || kind == 'I' ? 'i' : kind == 'q' || kind == 'Q' || kind == 'p' ? 'q' : kind == 'd' ? 'd' : 0;
}

/* Only where the columns are what the declaration says: a routine that is variadic, or takes floats where the columns are integers,
 * gets its arguments in both kinds of register. */
zb_body zb_special_rows(const struct zb_batch *batch) {
  const struct zb_entry *entry = batch->entry;
  const uint32_t floats = entry->layout->floats;
  int kind, integral = 1, result = batch->result_kind == 'v' ? 'v' : family(batch->result_kind);
  if (batch->count < 1 || batch->count > 4 || (entry->kept.flags & ROUTINE_VARIADIC)) return NULL;
  kind = family(batch->columns[0].kind);
  for (uint32_t c = 0; c < batch->count; c++) {
    uint64_t k = batch->columns[c].kind;
    if (k != batch->columns[0].kind) kind = 0;
    if (k == 'f' || k == 'd') integral = 0;
    if (k == 'I') kind = 0; /* zero-extended: not the loop for i */
  }
  if (kind == 'd' && floats == 2 && (result == 'i' || result == 'd' || result == 'v'))
    return loops[2][result == 'i' ? 0 : result == 'd' ? 1 : 2][batch->count - 1];
  if (!integral || floats || batch->result_kind == 'f' || batch->result_kind == 'd') return NULL;
  if ((kind == 'i' || kind == 'q') && (result == 'i' || result == 'q' || result == 'v'))
    return loops[kind == 'q'][result == 'i' ? 0 : result == 'q' ? 1 : 2][batch->count - 1];
  return integers;
}
