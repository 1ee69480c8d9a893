/* Loops for the common shapes of batches on i386, compiled once for each: up to four columns that are pushed as they lie, all of one
 * word or all of two. Which convention it is shows only in the stack pointer afterwards. */
#include "modes.h"
#include "rows.h"
#include "call_i386.h"

/* Pushes the value of column c, whose pointer is number c in the array at esi: one word, or two. */
#define PUSH0(c) "movl 4*" #c "(%%esi), %%ecx\n\tpushl (%%ecx)\n\t"
#define PUSH1(c) "movl 4*" #c "(%%esi), %%ecx\n\tpushl 4(%%ecx)\n\tpushl (%%ecx)\n\t"

/* One call with the values of `n` columns, the last first. As in zb_call_raw the stack lies on 16 bytes, and what is kept is kept in
 * registers, for the stack pointer is as the routine leaves it. In ecx: what that took. */
#define CALL(n, wide, pushes, results)                                                                                       \
  __asm__ volatile(                                                                                                          \
      "movl %%esp, %%edi\n\tsubl %[room], %%esp\n\tandl $-16, %%esp\n\tmovl %%esp, %%ebx\n\taddl %[bytes], %%esp\n\t" pushes \
      "call *%%eax\n\tmovl %%esp, %%ecx\n\tmovl %%edi, %%esp\n\tsubl %%ebx, %%ecx"                                           \
      : results, "=d"(high), "=c"(taken), "=a"(low)                                                                          \
      : "a"(address), "S"(p), [room] "i"(SLACK + 4 * n * (1 + wide)), [bytes] "i"(4 * n * (1 + wide))                        \
      : "ebx", "edi", "memory", "cc")
#define CALL_OF(wide, push, results)                                         \
  switch (n) {                                                               \
    case 1: CALL(1, wide, push(0), results); break;                          \
    case 2: CALL(2, wide, push(1) push(0), results); break;                  \
    case 3: CALL(3, wide, push(2) push(1) push(0), results); break;          \
    default: CALL(4, wide, push(3) push(2) push(1) push(0), results); break; \
  }

/* A loop over n columns. `result`: i or q for 4 or 8 bytes of the integer registers, f or d for st0, v for none, x
 * for what is stored by its kind. */
INLINE void same(struct zb_batch *batch, const int n, const int wide, const char result) {
  const uint32_t address = (uint32_t)batch->entry->address, declared = batch->entry->layout->taken, rows = batch->rows;
  volatile uint32_t *const running = batch->running;
  const uint8_t *p[4];
  ptrdiff_t s[4];
  uint32_t row = batch->row;
  uint8_t *out = batch->results + row * batch->result_stride;
  const int floats = batch->entry->layout->floats || result == 'f' || result == 'd';
  const uint32_t mxcsr = zb_mxcsr();
  const uint16_t x87 = zb_x87();
  const size_t step = (size_t)batch->result_stride;
  for (int c = 0; c < n; c++) s[c] = (ptrdiff_t)batch->columns[c].stride, p[c] = batch->columns[c].pointer + (ptrdiff_t)row * s[c];
  for (; row < rows; row++) {
    uint32_t low, high, taken;
    long double top;
    zb_store_row(running, row);
    if (result == 'f' || result == 'd') {
      if (wide) {
        CALL_OF(1, PUSH1, "=t"(top))
      } else {
        CALL_OF(0, PUSH0, "=t"(top))
      }
    } else {
      if (wide) {
        CALL_OF(1, PUSH1, "+m"(*p))
      } else {
        CALL_OF(0, PUSH0, "+m"(*p))
      }
      if (!(row & 3)) { /* as in zb_call_raw; eight values have room */
        zb_calm_x87();
        __asm__ volatile("emms");
      }
    }
    for (int c = 0; c < n; c++) p[c] += s[c];
    if (floats) zb_settle_mxcsr(mxcsr), zb_settle_x87(x87);
    if (taken != declared) zb_unbalanced(taken, declared);
    if (result == 'i') memcpy(out, &low, 4);
    if (result == 'q') memcpy(out, &low, 4), memcpy(out + 4, &high, 4);
    if (result == 'f') {
      float v = (float)top;
      memcpy(out, &v, 4);
    }
    if (result == 'd') {
      double v = (double)top;
      memcpy(out, &v, 8);
    }
    if (result == 'x') zb_store_value(batch->result_kind, out, low);
    out += step;
  }
  batch->row = row;
}

/* Tables: */
/* clang-format off */
#define LOOP(n, wide, result) static void loop_##n##wide##result(void *batch) { same(batch, n, wide, #result[0]); }
#define LOOPS(wide, result) LOOP(1, wide, result) LOOP(2, wide, result) LOOP(3, wide, result) LOOP(4, wide, result)
#define ALL(wide) LOOPS(wide, v) LOOPS(wide, x) LOOPS(wide, i) LOOPS(wide, q) LOOPS(wide, f) LOOPS(wide, d)
ALL(0) ALL(1)
#define ROW(wide, result) {loop_1##wide##result, loop_2##wide##result, loop_3##wide##result, loop_4##wide##result}
#define TABLE(wide) {ROW(wide, v), ROW(wide, x), ROW(wide, i), ROW(wide, q), ROW(wide, f), ROW(wide, d)}
static const zb_body loops[2][6][4] = {TABLE(0), TABLE(1)};
/* clang-format on */

static int result_class(uint32_t kind) {
  switch (kind) {
    case 'v': return 0;
    case 'i':
    case 'I':
    case 'p': return 2;
    case 'q':
    case 'Q': return 3;
    case 'f': return 4;
    case 'd': return 5;
    default: return 1;
  }
}

/* Only where each column is as wide as its argument, so that its kind does not matter, and no argument goes into a
 * register. */
zb_body zb_special_rows(const struct zb_batch *batch) {
  const struct zb_layout *layout = batch->entry->layout;
  uint32_t kind = batch->result_kind, declared = batch->entry->result_kind, size;
  if (batch->count < 1 || batch->count > 4 || (batch->entry->kept.flags & ROUTINE_VARIADIC)) return NULL;
  if (kind == 'v' && (declared == 'f' || declared == 'd'))
    return NULL; /* the result is not wanted, but has to be taken off the x87 stack */
  size = layout->places[0].size;
  for (uint32_t c = 0; c < batch->count; c++) {
    const struct zb_place *place = &layout->places[c];
    if (place->kind == '{' || place->word < 2 || place->size != size || zb_kind_size(batch->columns[c].kind) != (int)size)
      return NULL;
  }
  return loops[size == 8][result_class(kind)][batch->count - 1];
}
