/* Loops for the common shapes of batches on i386, compiled once for each: up to four columns that are pushed as they lie, all of one
 * word or all of two, and one of structures, whose addresses are pushed. Which convention it is shows only in the stack pointer
 * afterwards. */
#include "modes.h"
#include "rows.h"
#include "call_i386.h"

/* What is pushed of each column: one word of its value, two words, or the address of the value. DENSE: the values lie one behind the other,
 * and are found by the number of the row. */
enum { ONE, TWO, DENSE_ONE, DENSE_TWO, PLACE };
/* Looking at the x87 stack takes longer than a short routine, and emptying it takes longer still. The stack has room for eight values that nobody
 * declared: it is looked at every LOOK rows, and emptied every EMPTY rows, because what MMX leaves there cannot be seen. */
enum { LOOK = 4, EMPTY = 16 };

/* What the assembler code of a loop reads, by its address in esi: nothing on the stack, whose pointer it changes. */
struct source {
  const uint8_t *first;
  int32_t stride;
};
struct rows {
  struct source sources[4];
  uint32_t top;
};
_Static_assert(sizeof(struct source) == 8 && offsetof(struct rows, top) == 32, "VALUE, CALL");

/* What pushes the value of column c in row edx. */
#define PUSH_DENSE_ONE(c) "movl 8*" #c "(%%esi), %%ecx\n\tpushl (%%ecx,%%edx,4)\n\t"
#define PUSH_DENSE_TWO(c) "movl 8*" #c "(%%esi), %%ecx\n\tpushl 4(%%ecx,%%edx,8)\n\tpushl (%%ecx,%%edx,8)\n\t"
#define VALUE(c) "movl %%edx, %%ecx\n\timull 4+8*" #c "(%%esi), %%ecx\n\taddl 8*" #c "(%%esi), %%ecx\n\t"
#define PUSH_ONE(c) VALUE(c) "pushl (%%ecx)\n\t"
#define PUSH_TWO(c) VALUE(c) "pushl 4(%%ecx)\n\tpushl (%%ecx)\n\t"
#define PUSH_PLACE(c) VALUE(c) "pushl %%ecx\n\t"

/* One call. The arguments are pushed below `top`, the last first. The function's own stack pointer is kept in edi, because a routine that
 * was declared wrongly returns with another one, which is left in ecx. (Kept in memory it took a sixth longer: each row would wait for it.) */
#define CALL(pushes, results)                                                                                                      \
  __asm__ volatile("movl %%esp, %%edi\n\tmovl 32(%%esi), %%esp\n\t" pushes "call *%%eax\n\tmovl %%esp, %%ecx\n\tmovl %%edi, %%esp" \
                   : results, "=d"(high), "=c"(left), "=a"(low)                                                                    \
                   : "a"(address), "S"(&calls), "d"(row)                                                                           \
                   : "ebx", "edi", "memory", "cc")
#define CALL_OF(push, results)                                      \
  switch (n) {                                                      \
    case 1: CALL(push(0), results); break;                          \
    case 2: CALL(push(1) push(0), results); break;                  \
    case 3: CALL(push(2) push(1) push(0), results); break;          \
    default: CALL(push(3) push(2) push(1) push(0), results); break; \
  }
#define CALL_ROW(results)                                   \
  switch (how) {                                            \
    case ONE: CALL_OF(PUSH_ONE, results) break;             \
    case TWO: CALL_OF(PUSH_TWO, results) break;             \
    case DENSE_ONE: CALL_OF(PUSH_DENSE_ONE, results) break; \
    case DENSE_TWO: CALL_OF(PUSH_DENSE_TWO, results) break; \
    default: CALL(PUSH_PLACE(0), results); break;           \
  }

/* The top of the room for arguments, on 16 bytes as in zb_call_raw: below everything that the function has on its stack, with SLACK between.
 * The function's stack pointer does not change in the loop, which calls no function of C. */
INLINE uint32_t stack_below(void) {
  uint32_t stack;
  __asm__ volatile("movl %%esp, %0" : "=r"(stack));
  return (stack - SLACK) & ~15u;
}

/* A loop over n columns. `result`: i or q for 4 or 8 bytes of the integer registers, f or d for st0, v for none, x
 * for what is stored by its kind. */
INLINE void same(struct zb_batch *batch, const int n, const int how, const char result) {
  const struct zb_layout *layout = batch->entry->layout;
  const uint32_t size = (uint32_t)n * (how == TWO || how == DENSE_TWO ? 8 : 4), bottom = stack_below() - 4 * 8;
  const uint32_t address = (uint32_t)batch->entry->address, balanced = bottom + layout->taken, rows = batch->rows;
  volatile uint32_t *const running = batch->running;
  struct rows calls = {.top = bottom + size};
  uint32_t row = batch->row;
  uint8_t *out = batch->results + row * batch->result_stride;
  const int x87_result = result == 'f' || result == 'd', integer = result == 'i' || result == 'q';
  const int floats = x87_result || (!integer && layout->floats), appends = integer && (how == DENSE_ONE || how == DENSE_TWO);
  const uint32_t mxcsr = zb_mxcsr();
  const uint16_t x87 = zb_x87();
  const size_t step = (size_t)batch->result_stride;
  for (int c = 0; c < n; c++) calls.sources[c] = (struct source){batch->columns[c].pointer, (int32_t)batch->columns[c].stride};
  for (; row < rows; row++) {
    uint32_t low, high, left;
    long double top;
    if (appends) *running = row;
    else zb_store_word(running, row);
    if (x87_result) {
      CALL_ROW("=t"(top))
    } else {
      CALL_ROW("+m"(calls))
      if (row % LOOK == 0 && (row % EMPTY == 0 || zb_x87_is_left())) zb_empty_x87();
    }
    if (floats) zb_settle_mxcsr(mxcsr), zb_settle_x87(x87);
    if (left != balanced) zb_unbalanced(left - bottom, layout->taken);
    if (appends) {
      out = zb_store_word(out, low);
      if (result == 'q') out = zb_store_word(out, high);
      continue;
    }
    if (integer) memcpy(out, &low, 4);
    if (result == 'q') memcpy(out + 4, &high, 4);
    if (result == 'f') {
      float v = (float)top;
      memcpy(out, &v, 4);
    }
    if (result == 'd') {
      double v = (double)top;
      memcpy(out, &v, 8);
    }
    if (result == 'x') zb_store_value(batch->result_kind, out, (uint64_t)high << 32 | low);
    out += step;
  }
  batch->row = row;
}

/* Tables: */
/* clang-format off */
#define LOOP(n, how, result) static void loop_##n##how##result(void *batch) { same(batch, n, how, #result[0]); }
#define LOOPS(how, result) LOOP(1, how, result) LOOP(2, how, result) LOOP(3, how, result) LOOP(4, how, result)
#define ALL(how) LOOPS(how, v) LOOPS(how, x) LOOPS(how, i) LOOPS(how, q) LOOPS(how, f) LOOPS(how, d)
ALL(ONE) ALL(TWO) ALL(DENSE_ONE) ALL(DENSE_TWO)
LOOP(1, PLACE, v) LOOP(1, PLACE, x) LOOP(1, PLACE, i) LOOP(1, PLACE, q) LOOP(1, PLACE, f) LOOP(1, PLACE, d)
#define ROW(how, result) {loop_1##how##result, loop_2##how##result, loop_3##how##result, loop_4##how##result}
#define TABLE(how) {ROW(how, v), ROW(how, x), ROW(how, i), ROW(how, q), ROW(how, f), ROW(how, d)}
static const zb_body loops[4][6][4] = {TABLE(ONE), TABLE(TWO), TABLE(DENSE_ONE), TABLE(DENSE_TWO)};
static const zb_body structures[6] = {loop_1PLACEv, loop_1PLACEx, loop_1PLACEi, loop_1PLACEq, loop_1PLACEf, loop_1PLACEd};
/* clang-format on */

/* Which loops store results of a kind. Those for integers do not look at the modes of floating point, as a routine that takes floats needs. */
static int result_class(uint32_t kind, uint32_t floats) {
  switch (kind) {
    case 'v': return 0;
    case 'i':
    case 'I':
    case 'p': return floats ? 1 : 2;
    case 'q':
    case 'Q': return floats ? 1 : 3;
    case 'f': return 4;
    case 'd': return 5;
    default: return 1;
  }
}

/* Only where each column is as wide as its argument, so that its kind does not matter, and no argument goes into a
 * register. */
zb_body zb_special_rows(const struct zb_batch *batch) {
  const struct zb_layout *layout = batch->entry->layout;
  const uint32_t kind = batch->result_kind, declared = batch->entry->result_kind;
  const int results = result_class(kind, layout->floats);
  int dense = kind == 'v' || batch->result_stride == (uint64_t)zb_kind_size(kind);
  uint32_t size;
  if (batch->count < 1 || batch->count > 4 || (batch->entry->kept.flags & ROUTINE_VARIADIC)) return NULL;
  if (kind == 'v' && (declared == 'f' || declared == 'd'))
    return NULL; /* the result is not wanted, but has to be taken off the x87 stack */
  size = layout->places[0].size;
  if (batch->columns[0].kind == '&' && batch->count == 1 && layout->places[0].kind == 'p' && layout->places[0].word >= 2)
    return structures[results];
  for (uint32_t c = 0; c < batch->count; c++) {
    const struct zb_place *place = &layout->places[c];
    if (place->kind == '{' || place->word < 2 || place->size != size || zb_kind_size(batch->columns[c].kind) != (int)size)
      return NULL;
    if (batch->columns[c].stride != size) dense = 0;
  }
  return loops[size == 8 ? dense ? DENSE_TWO : TWO : dense ? DENSE_ONE : ONE][results][batch->count - 1];
}
