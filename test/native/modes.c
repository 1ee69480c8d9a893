/* Routines that leave the processor otherwise than they found it: no later call, and no row behind, sees anything of that. */
#include "node.h"

enum { DIRECTION = 1, ROUNDING = 2, X87_MODE = 4, X87_STACK = 8, UNMASKED = 16 };

static uint16_t ordinary; /* the x87 control word of the first call */

/* What differs from what a routine is promised; does as `what` says then. */
static int32_t leave(int32_t what) {
  const uint32_t towards_zero = 0x7F80;
  const uint16_t single = 0x007F, unmasked = 0x0370;
  ULONG_PTR flags;
  uint32_t mxcsr, environment[7];
  uint16_t control;
  int32_t found = 0;
  __asm__ volatile("pushf\n\tpop %0\n\tstmxcsr %1\n\tfnstcw %2" : "=r"(flags), "=m"(mxcsr), "=m"(control));
  if (flags & 0x400) found |= DIRECTION;
  __asm__ volatile("cld");
  if ((mxcsr & 0xFFC0) != 0x1F80) found |= ROUNDING;
  if (!ordinary) ordinary = control;
  if (control != ordinary) found |= X87_MODE;
  __asm__ volatile("fnstenv %0\n\tfldcw %1" : "=m"(environment) : "m"(control));
  if ((environment[2] & 0xFFFF) != 0xFFFF) found |= X87_STACK;
  if (what & ROUNDING) __asm__ volatile("ldmxcsr %0" ::"m"(towards_zero));
  if (what & X87_MODE) __asm__ volatile("fldcw %0" ::"m"(single));
  if (what & X87_STACK) __asm__ volatile("fld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1");
  if (what & UNMASKED) __asm__ volatile("fldz\n\tfldcw %0\n\tfld1\n\tfdivp" ::"m"(unmasked)); /* waits to be raised */
  if (what & DIRECTION) __asm__ volatile("std");
  return found;
}
static double third(double what) {
  const uint32_t towards_zero = 0x7F80;
#ifdef __i386__
  const uint16_t chopped = 0x0E7F;
#endif
  volatile double one = -1, three = 3;
  double result = one / three;
  if (what) __asm__ volatile("ldmxcsr %0" ::"m"(towards_zero));
#ifdef __i386__ /* where compilers compute on the x87 */
  if (what) __asm__ volatile("fldcw %0" ::"m"(chopped));
#endif
  return result;
}
static int32_t calls_back(int32_t (*f)(int32_t), int32_t v) {
  int32_t before = leave(0), result;
  result = f(v);
  return before | leave(0) << 8 | result << 16;
}

static int32_t inside;

static uint64_t unclean(int strand, uint32_t number, const uint64_t *arguments, uint32_t count) {
  (void)number, (void)count;
  inside |= (int32_t)nested_call(strand, 80, 1, (uint64_t[]){arguments[0]}).result;
  inside |= (int32_t)nested_call(strand, 80, 1, (uint64_t[]){0}).result;
  return 0;
}

void test_modes(void) {
  enum { ROWS = 40 };
  static const int32_t all[] = {DIRECTION, ROUNDING, X87_MODE, X87_STACK, UNMASKED, DIRECTION | ROUNDING | X87_MODE | X87_STACK};
  int32_t *a = (void *)arena(0), *out = (void *)arena(0x10000);
  double *x = (void *)arena(0x20000), *y = (void *)arena(0x30000);
  zb_routine(80, ADDRESS(leave), 0, 0, "i", 'i');
  zb_routine(81, ADDRESS(leave), 0, ROUTINE_VARIADIC, "i", 'i');
  zb_routine(82, ADDRESS(third), 0, 0, "d", 'd');
  zb_routine(83, ADDRESS(calls_back), 0, 0, "pi", 'i');
  zb_routine(84, ADDRESS(leave), 0, 0, "h", 'i');
  check(CALL(80, 0).result == 0, "a clean start");
  for (int i = 0; i < 6; i++) {
    struct answer first = CALL(80, (uint64_t)all[i]), second = CALL(80, 0);
    check(first.status == 0 && first.result == 0 && second.status == 0 && second.result == 0,
          "behind a call that leaves nothing as it was");
  }

  for (int i = 0; i < ROWS; i++) a[i] = i % 2 ? DIRECTION : 0;
  for (uint32_t routine = 80; routine <= 84; routine++) { /* loops of their own: ints, any signature, shorts */
    int good = 1;
    if (routine == 82 || routine == 83) continue;
    struct batch rows = {routine, 0, ROWS, 4, out, NULL, NULL, 0, 'i', 1, {{a, 4, routine == 84 ? 'h' : 'i'}}};
    struct answer r = run_batch(&rows);
    for (int i = 0; i < ROWS; i++) good &= out[i] == 0;
    check(r.status == 0 && r.result == ROWS && good, "rows behind a row that leaves the direction flag set");
  }
  for (int i = 0; i < ROWS; i++) a[i] = ROUNDING, x[i] = 1;
  struct batch modes = {81, 0, ROWS, 4, out, NULL, NULL, 0, 'i', 1, {{a, 4, 'i'}}};
  run_batch(&modes);
  int good = 1;
  for (int i = 0; i < ROWS; i++) good &= out[i] == 0;
  check(good, "rows behind one that rounds otherwise");
  struct batch doubles = {82, 0, ROWS, 8, y, NULL, NULL, 0, 'd', 1, {{x, 8, 'd'}}};
  run_batch(&doubles), good = 1;
  for (int i = 0; i < ROWS; i++) good &= y[i] == -1.0 / 3;
  check(good && CALL(80, 0).result == 0, "doubles that are rounded as ever");

  handler before = on_callback;
  uint64_t thunk = zb_thunk(800, 0, 0, "i", 'i');
  on_callback = unclean;
  for (int i = 0; i < 6; i++) {
    inside = 0;
    struct answer r = CALL(83, thunk, (uint64_t)all[i]);
    check(r.status == 0 && r.result == 0 && inside == 0, "a callback inside which such a routine runs");
  }
  on_callback = before;
}
