/* Loops for the common shapes of batches on x86-64, compiled once for each: up to four columns of one kind, with loads and stores that
 * know the kind; and integers of any kinds. */
/* Also where the rest is compiled for a debugger: the loops are copied (near_x86_64.c), and must not refer to anything near them. */
#pragma GCC optimize "O2"
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

/* Stores a result of 4 or 8 bytes as zb_store_word does a word. */
INLINE uint8_t *append(uint8_t *at, uint64_t bits, const ptrdiff_t size) {
  uint8_t *const next = at + size;
  if (size == 4) __asm__ volatile("stosl" : "+D"(at) : "a"((uint32_t)bits) : "memory");
  else __asm__ volatile("stosq" : "+D"(at) : "a"(bits) : "memory");
  if (__builtin_expect(at != next, 0)) zb_clear_direction();
  return next;
}

/* A loop over n columns of one kind. Integers go into integer registers and doubles into xmm registers, where a
 * routine with such a signature looks for them: no argument is needed in both. Where values lie `size` bytes apart
 * (0: any distance) they are found by the number of the row: pointers and distances of all columns do not fit into
 * registers. */
INLINE void same(struct zb_batch *batch, const int n, const char kind, const char result, const ptrdiff_t size) {
  const uint32_t rows = batch->rows;
  const integer_routine integers = (integer_routine)(ULONG_PTR)batch->entry->address;
  const double_routine doubles = (double_routine)(ULONG_PTR)batch->entry->address;
  volatile uint32_t *const running = batch->running;
  const uint8_t *p0 = 0, *p1 = 0, *p2 = 0, *p3 = 0;
  ptrdiff_t s0 = size, s1 = size, s2 = size, s3 = size;
  const uint32_t mxcsr = zb_mxcsr();
  const int appends = size && result != 'v';
  uint8_t *out = batch->results;
  const ptrdiff_t step = size ? result == 'i' ? 4 : 8 : (ptrdiff_t)batch->result_stride;
  uint32_t row = batch->row;
  if (appends) out += row * step;
  if (n > 0) p0 = batch->columns[0].pointer, s0 = size ? size : batch->columns[0].stride;
  if (n > 1) p1 = batch->columns[1].pointer, s1 = size ? size : batch->columns[1].stride;
  if (n > 2) p2 = batch->columns[2].pointer, s2 = size ? size : batch->columns[2].stride;
  if (n > 3) p3 = batch->columns[3].pointer, s3 = size ? size : batch->columns[3].stride;
  for (; row < rows; row++) {
    const ptrdiff_t at = row;
    uint64_t bits;
    if (appends) *running = row;
    else zb_store_word(running, row);
#define L(c) zb_load_value((uint32_t)kind, p##c + at * s##c)
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
    if (appends) out = append(out, bits, step);
    else zb_store_value((uint32_t)result, out + at * step, bits);
  }
  batch->row = row;
}

/* Up to four integer columns of different kinds, integer result. */
static void integers(void *argument) {
  struct zb_batch *batch = argument;
  const integer_routine routine = (integer_routine)(ULONG_PTR)batch->entry->address;
  uint64_t values[4] = {0};
  uint32_t row = batch->row;
  for (; row < batch->rows; row++) {
    zb_store_word(batch->running, row);
    for (uint32_t c = 0; c < batch->count; c++)
      values[c] = zb_load_value((uint32_t)batch->columns[c].kind, batch->columns[c].pointer + row * batch->columns[c].stride);
    zb_store_value(batch->result_kind, batch->results + row * batch->result_stride,
                   routine(values[0], values[1], values[2], values[3]));
  }
  batch->row = row;
}

/* Tables: for columns at any distance and such that lie one behind the other, by the columns' kind, the result, and the number of columns. */
/* clang-format off */
#define LOOP(n, kind, name, result, size) static void loop_##n##name##result##size(void *batch) { same(batch, n, kind, #result[0], size); }
#define LOOPS(kind, name, result, size) \
  LOOP(1, kind, name, result, size) LOOP(2, kind, name, result, size) LOOP(3, kind, name, result, size) LOOP(4, kind, name, result, size)
#define ALL(kind, name, size) LOOPS(kind, name, i, size) LOOPS(kind, name, q, size) LOOPS(kind, name, v, size)
ALL('i', i, 4) ALL('i', i, 0) ALL('q', q, 8) ALL('q', q, 0)
LOOPS('d', d, i, 8) LOOPS('d', d, d, 8) LOOPS('d', d, v, 8) LOOPS('d', d, i, 0) LOOPS('d', d, d, 0) LOOPS('d', d, v, 0)
LOOP(1, '&', a, i, 0) LOOP(1, '&', a, q, 0) LOOP(1, '&', a, v, 0)
#define ROW(name, result, size) {loop_1##name##result##size, loop_2##name##result##size, loop_3##name##result##size, loop_4##name##result##size}
#define KIND(name, wide, size) {ROW(name, i, size), ROW(name, wide, size), ROW(name, v, size)}
static const zb_body loops[2][3][3][4] = {
    {KIND(i, q, 0), KIND(q, q, 0), KIND(d, d, 0)}, {KIND(i, q, 4), KIND(q, q, 8), KIND(d, d, 8)}};
static const zb_body structures[3] = {loop_1ai0, loop_1aq0, loop_1av0};
/* clang-format on */

/* The kind that stands for all kinds that are loaded and passed alike: i, q or d; 0 for the others. */
static int family(uint64_t kind) {
  return kind == 'i' || kind == 'I' ? 'i' : kind == 'q' || kind == 'Q' || kind == 'p' ? 'q' : kind == 'd' ? 'd' : 0;
}

/* Whether the values of each column, and the results, lie one behind the other. */
static int is_dense(const struct zb_batch *batch, int64_t size, int result) {
  if (result != 'v' && batch->result_stride != (result == 'i' ? 4 : 8)) return 0;
  for (uint32_t c = 0; c < batch->count; c++)
    if (batch->columns[c].stride != size) return 0;
  return 1;
}

static int of_result(int result) { return result == 'i' ? 0 : result == 'v' ? 2 : 1; }

static zb_body pick(const struct zb_batch *batch, int kind, int result) {
  const int dense = is_dense(batch, kind == 'i' ? 4 : 8, result), of_kind = kind == 'i' ? 0 : kind == 'q' ? 1 : 2;
  return loops[dense][of_kind][of_result(result)][batch->count - 1];
}

/* Chooses a loop, where the columns' kinds are those of the declaration. NULL for a routine that is variadic, or that
 * takes floats where the columns are integers: it gets its arguments in both kinds of register. */
static zb_body choose(const struct zb_batch *batch) {
  const struct zb_entry *entry = batch->entry;
  const uint32_t floats = entry->layout->floats, count = batch->count;
  const int result = batch->result_kind == 'v' ? 'v' : family(batch->result_kind);
  int kind, integral = 1;
  if (count < 1 || count > 4 || (entry->kept.flags & ROUTINE_VARIADIC)) return NULL;
  kind = family(batch->columns[0].kind);
  for (uint32_t c = 0; c < count; c++) {
    uint64_t k = batch->columns[c].kind;
    if (k != batch->columns[0].kind) kind = 0;
    if (k == 'f' || k == 'd') integral = 0;
    if (k == 'I') kind = 0; /* zero-extended, which the loop for i does not do */
  }
  if (kind == 'd' && floats == 2 && (result == 'i' || result == 'd' || result == 'v')) return pick(batch, kind, result);
  if (!integral || floats || batch->result_kind == 'f' || batch->result_kind == 'd') return NULL;
  if (result == 'i' || result == 'q' || result == 'v') {
    if (kind == 'i' || kind == 'q') return pick(batch, kind, result);
    if (count == 1 && batch->columns[0].kind == '&') return structures[of_result(result)];
  }
  return integers;
}

zb_body zb_special_rows(const struct zb_batch *batch) {
  zb_body body = choose(batch);
  return body && body != integers ? zb_near(body, batch->entry->address) : body;
}
