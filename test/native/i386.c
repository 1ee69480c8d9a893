/* What only 32-bit code has: conventions, arguments on the stack and in two registers, results on the x87 stack, and routines that take
 * away other arguments than they were given. */
#include "node.h"

enum { PLAIN = CONVENTION_CDECL, STANDARD = CONVENTION_STDCALL, METHOD = CONVENTION_THISCALL, FAST = CONVENTION_FASTCALL };
typedef struct {
  uint8_t bytes[5];
} five;
typedef struct {
  double x, y, z;
} point;

static int __stdcall subtract(int a, int b) { return a - b; }
static int64_t __stdcall standard(int8_t a, int64_t b, float c, double d, uint16_t e) {
  return a + b + (int64_t)c + (int64_t)d + e;
}
static int __fastcall fast(int a, int b, int c, int d) { return a + 10 * b + 100 * c + 1000 * d; }
/* As Microsoft's compilers take these: what does not fit into a register leaves it to those behind. gcc does not, so in words. */
static int __fastcall fast_wide(int b, int c, int a_low, int a_high, int d) {
  return a_low + 10 * a_high + 100 * b + 1000 * c + 10000 * d;
}
static int __fastcall fast_float(int b, int c, float a, int d) { return (int)(a * 10) + 100 * b + 1000 * c + 10000 * d; }
static point *__fastcall fast_result(int a, int b, point *out) { return *out = (point){a, b, 0}, out; }
static int __thiscall method(const int *self, int a, int b) { return *self + 10 * a + 100 * b; }
static point *__thiscall method_result(const int *self, point *out, double scale) {
  return *out = (point){*self * scale, 2, 3}, out;
}
static int by_value(int before, five value, int after) {
  return before + 10 * value.bytes[0] + 100 * value.bytes[4] + 1000 * after;
}
static double __stdcall point_sum(point p, char c) { return p.x + p.y + p.z + c; }
static float narrowed(double a) { return (float)a; }
static double widened(float a) { return a; }
/* Its arguments are its own to change, also those that it was not given. */
static int spoils(volatile int a, volatile int b, volatile int c, volatile int d, volatile int e, volatile int f, volatile int g,
                  volatile int h) {
  a = b = c = d = e = f = g = h = -1;
  return a + b + c + d + e + f + g + h;
}
static int many(int a, ...) { return a; }

static void unbalanced(struct answer a, uint32_t taken, uint32_t declared, const char *what) {
  check(a.status == 1 && a.code == EXCEPTION_UNBALANCED && (uint32_t)a.result == taken && a.result >> 32 == declared, what);
  check(CALL(1, 20, 22).result == 42, what);
}

static void conventions(void) {
  int self = 7;
  point out = {0};
  zb_routine(70, ADDRESS(subtract), STANDARD, 0, "ii", 'i');
  zb_routine(71, ADDRESS(standard), STANDARD, 0, "bqfdH", 'q');
  zb_routine(72, ADDRESS(fast), FAST, 0, "iiii", 'i');
  zb_routine(73, ADDRESS(fast_wide), FAST, 0, "qiii", 'i');
  zb_routine(74, ADDRESS(fast_float), FAST, 0, "fiii", 'i');
  zb_routine(75, ADDRESS(fast_result), FAST, ROUTINE_RESULT_BY_ADDRESS, "pii", 'p');
  zb_routine(76, ADDRESS(method), METHOD, 0, "pii", 'i');
  zb_routine(77, ADDRESS(method_result), METHOD, ROUTINE_RESULT_BY_ADDRESS, "ppd", 'p');
  check((int32_t)CALL(70, 3, 5).result == -2, "stdcall");
  check((int64_t)CALL(71, (uint64_t)-1, 1ull << 40, bits_of_float(2), bits_of(3), 65535).result == (1ll << 40) + 65539,
        "stdcall of all sizes");
  check(CALL(72, 1, 2, 3, 4).result == 4321, "fastcall");
  check(CALL(73, 1 | 2ull << 32, 3, 4, 5).result == 54321, "fastcall: eight bytes take no register");
  check(CALL(74, bits_of_float(1.2f), 3, 4, 5).result == 54312, "fastcall: a float takes no register");
  check(CALL(75, ADDRESS(&out), 4, 5).result == ADDRESS(&out) && out.x == 4 && out.y == 5,
        "fastcall: the place of a result takes no register");
  check(CALL(76, ADDRESS(&self), 2, 3).result == 327, "thiscall");
  check(CALL(77, ADDRESS(&out), ADDRESS(&self), bits_of(1.5)).result == ADDRESS(&out) && out.x == 10.5,
        "thiscall: the place of a result lies on the stack");
}

static void values(void) {
  static five value = {{1, 2, 3, 4, 5}};
  static point p = {1, 2, 3};
  zb_routine(78, ADDRESS(by_value), PLAIN, 0, "i{5}i", 'i');
  zb_routine(79, ADDRESS(point_sum), STANDARD, 0, "{24}b", 'd');
  zb_routine(80, ADDRESS(narrowed), PLAIN, 0, "d", 'f');
  zb_routine(81, ADDRESS(widened), PLAIN, 0, "f", 'd');
  zb_routine(82, ADDRESS(narrowed), PLAIN, 0, "d", 'v');
  zb_routine(83, ADDRESS(spoils), PLAIN, 0, "i", 'i');
  zb_routine(84, ADDRESS(many), PLAIN, 0, "{100000}i", 'i');
  check(CALL(78, 1, ADDRESS(&value), 9).result == 9511, "a structure by value");
  check(double_of(CALL(79, ADDRESS(&p), 4).result) == 10, "a structure by value, a result in st0");
  check(CALL(80, bits_of(1.0 / 3)).result == bits_of_float(1.0f / 3), "a float is rounded as one");
  check(double_of(CALL(81, bits_of_float(1.0f / 3)).result) == (double)(1.0f / 3), "a double is not");
  for (int i = 0; i < 20; i++) call(82, 1, (uint64_t[]){bits_of(i)});
  check(CALL(80, bits_of(2.5)).result == bits_of_float(2.5f), "results that nobody took do not fill the x87 stack");
  check((int32_t)CALL(83, 1).result == -8, "arguments overwritten, and what lies behind them");
  struct answer a = CALL(78, 1, 0x10, 9);
  check(a.status == 1 && a.code == 0xC0000005 && a.result == 0x10, "a structure that is not there");
  a = CALL(84, ADDRESS(arena(0)), 1);
  check(a.status == 0 && a.result == *(uint32_t *)arena(0), "a structure larger than the pages that the stack has grown to");
}

static void imbalance(void) {
  zb_routine(85, ADDRESS(subtract), PLAIN, 0, "ii", 'i');
  zb_routine(86, ADDRESS(many), STANDARD, 0, "ii", 'i');
  zb_routine(87, ADDRESS(subtract), STANDARD, 0, "iii", 'i');
  zb_routine(88, ADDRESS(subtract), STANDARD, 0, "", 'i');
  zb_routine(89, ADDRESS(many), STANDARD, ROUTINE_VARIADIC, "ii", 'i');
  for (int i = 0; i < 100; i++) {
    unbalanced(CALL(85, 1, 2), 8, 0, "stdcall called as cdecl");
    unbalanced(CALL(86, 1, 2), 0, 8, "cdecl called as stdcall");
    unbalanced(CALL(87, 1, 2, 3), 8, 12, "too many arguments");
    unbalanced(call(88, 0, NULL), 8, 0, "too few arguments");
  }
  check(CALL(89, 6, 2).result == 6, "a variadic routine is cdecl whatever it says");
}

/* Each shape that has a loop of its own, and each that has none, against calls one by one. */
static int64_t __stdcall sum_words(int a, int b, int c, int d) { return a - 2ll * b + 3ll * c - 4ll * d; }
static double sum_doubles(double a, double b, double c, double d) { return a - 2 * b + 3 * c - 4 * d; }
static float __fastcall sum_mixed(int a, double b, float c) { return (float)(a + b + (double)c); }
static uint8_t low_byte(int a) { return (uint8_t)a; }
static void nothing(double a) { (void)a; }

static void batches(void) {
  enum { ROWS = 500 };
  int32_t *i = (void *)arena(0), good = 1;
  float *f = (void *)arena(0x10000);
  double *d = (void *)arena(0x20000), *r = (void *)arena(0x30000);
  struct failure *failures = (void *)arena(0x40000);
  zb_routine(90, ADDRESS(sum_words), STANDARD, 0, "iiii", 'q');
  zb_routine(91, ADDRESS(sum_doubles), PLAIN, 0, "dddd", 'd');
  zb_routine(92, ADDRESS(sum_mixed), FAST, 0, "idf", 'f');
  zb_routine(93, ADDRESS(low_byte), PLAIN, 0, "i", 'B');
  zb_routine(94, ADDRESS(nothing), PLAIN, 0, "d", 'v');
  for (int row = 0; row < ROWS; row++) i[row] = row * 7 - 900, f[row] = 0.5f * row, d[row] = 0.25 * row;
  struct batch words = {90, 0, ROWS, 8, r, failures, NULL, 4, 'q', 4, {{i, 4, 'i'}, {f, 4, 'I'}, {i, 4, 'i'}, {i, 0, 'i'}}};
  struct answer a = run_batch(&words);
  for (int row = 0; row < ROWS; row++) good &= ((int64_t *)r)[row] == sum_words(i[row], ((int32_t *)f)[row], i[row], i[0]);
  check(a.status == 0 && a.result == ROWS && good, "stdcall, four words, eight bytes of result");
  struct batch doubles = {
      91, 0, ROWS, 8, r, failures, NULL, 4, 'd', 4, {{d, 8, 'd'}, {d, 8, 'd'}, {d, 0, 'd'}, {d + ROWS - 1, -8, 'd'}}};
  run_batch(&doubles), good = 1;
  for (int row = 0; row < ROWS; row++) good &= r[row] == sum_doubles(d[row], d[row], d[0], d[ROWS - 1 - row]);
  check(good, "cdecl, four doubles, one of result");
  struct batch mixed = {92, 0, ROWS, 4, r, failures, NULL, 4, 'f', 3, {{i, 4, 'i'}, {d, 8, 'd'}, {f, 4, 'f'}}};
  run_batch(&mixed), good = 1;
  for (int row = 0; row < ROWS; row++) good &= ((float *)r)[row] == sum_mixed(i[row], d[row], f[row]);
  check(good, "fastcall, mixed columns");
  struct batch bytes = {93, 0, ROWS, 1, r, failures, NULL, 4, 'B', 1, {{i, 4, 'i'}}};
  ((uint8_t *)r)[ROWS] = 77;
  run_batch(&bytes), good = ((uint8_t *)r)[ROWS] == 77;
  for (int row = 0; row < ROWS; row++) good &= ((uint8_t *)r)[row] == (uint8_t)i[row];
  check(good, "bytes of result");
  struct batch none = {94, 0, ROWS, 0, NULL, failures, NULL, 4, 'v', 1, {{d, 8, 'd'}}};
  check(run_batch(&none).result == ROWS, "no result");
  doubles.results = NULL;
  check(run_batch(&doubles).result == ROWS, "a double that nobody wants");
  words.routine = 85, words.count = 2, words.result_kind = 'i', words.result_stride = 4;
  a = run_batch(&words);
  check(a.code == 4 && failures[3].row == 3 && failures[3].code == EXCEPTION_UNBALANCED && failures[3].address == 8,
        "a wrong convention, by row");
  five *value = (void *)arena(0x50000);
  for (int row = 0; row < ROWS; row++) value[row].bytes[0] = (uint8_t)row, value[row].bytes[4] = 1;
  struct batch structures = {78, 0, ROWS, 4, r, failures, NULL, 4, 'i', 3, {{i, 0, 'i'}, {value, 5, '&'}, {i, 0, 'i'}}};
  run_batch(&structures), good = 1;
  for (int row = 0; row < ROWS; row++) good &= ((int32_t *)r)[row] == by_value(i[0], value[row], i[0]);
  check(good, "structures by value in a column");
}

/* An address that 32 bits do not have is not the one that its low half names. */
static void beyond(void) {
  uint8_t out[256];
  struct batch batch = {1, 0, 1, 4, arena(0), NULL, NULL, 0, 'i', 2, {{arena(0), 4, 'i'}, {arena(0), 4, 'i'}}};
  for (int at = 0; at < 2; at++) {
    struct answer a;
    uint32_t length = build_batch(out, &batch), high = 1;
    memcpy(out + (at ? BATCH_RESULTS : BATCH_COLUMNS) + 4, &high, 4);
    wait_for(publish(KIND_BATCH, out, length, 0, 0), &a);
    check(a.status == 2 && a.code == REFUSED_MALFORMED, "an address beyond four gigabytes");
  }
}

static uint64_t seen[8];
static uint32_t seen_count;
static uint64_t taking(int strand, uint32_t number, const uint64_t *a, uint32_t count) {
  (void)strand, (void)number;
  memcpy(seen, a, 8 * count), seen_count = count;
  if (count && number == 304) memcpy(seen + 4, (void *)(ULONG_PTR)a[1], 5);
  return number == 302 ? bits_of(2.5) : number == 303 ? bits_of_float(1.5f) : number == 305 ? 0x123456789ull : 42;
}
static int call_standard(int(__stdcall *f)(int, double, int64_t)) { return f(-1, 2.5, -3); }
static int call_fast(int(__fastcall *f)(int, int, int)) { return f(1, 2, 3) + f(4, 5, 6); }
static double call_double(double (*f)(float)) { return f(0.5f) * 2; }
static float call_float(float(__stdcall *f)(double)) { return f(0.5) * 2; }
static int call_value(int (*f)(int, five, int)) { return f(1, (five){{9, 8, 7, 6, 5}}, 3); }
static int64_t call_long(int64_t(__stdcall *f)(void)) { return f() + 1; }
static int call_method(int(__thiscall *f)(void *, int)) { return f((void *)0x99, 8); }

static void callbacks(void) {
  on_callback = taking;
  for (int i = 0; i < 7; i++)
    zb_routine(110 + (uint32_t)i,
               ((uint64_t[]){ADDRESS(call_standard), ADDRESS(call_fast), ADDRESS(call_double), ADDRESS(call_float),
                             ADDRESS(call_value), ADDRESS(call_long), ADDRESS(call_method)})[i],
               PLAIN, 0, "p", "iidfiqi"[i]);
  struct answer a = CALL(110, zb_thunk(300, STANDARD, 0, "idq", 'i'));
  check(a.status == 0 && a.result == 42 && seen_count == 3 && seen[0] == ~0ull && seen[1] == bits_of(2.5) && (int64_t)seen[2] == -3,
        "a stdcall callback");
  a = CALL(111, zb_thunk(301, FAST, 0, "iii", 'i'));
  check(a.status == 0 && a.result == 84 && seen[0] == 4 && seen[1] == 5 && seen[2] == 6, "a fastcall callback");
  check(double_of(CALL(112, zb_thunk(302, PLAIN, 0, "f", 'd')).result) == 5 && seen[0] == bits_of_float(0.5f),
        "a double from a callback");
  check(CALL(113, zb_thunk(303, STANDARD, 0, "d", 'f')).result == bits_of_float(3) && seen[0] == bits_of(0.5),
        "a float from a callback");
  check(CALL(114, zb_thunk(304, PLAIN, 0, "i{5}i", 'i')).result == 42 && !memcmp(seen + 4, (uint8_t[]){9, 8, 7, 6, 5}, 5) &&
            seen[2] == 3,
        "a structure to a callback");
  check(CALL(115, zb_thunk(305, STANDARD, 0, "", 'q')).result == 0x12345678Aull, "eight bytes from a callback");
  check(CALL(116, zb_thunk(306, METHOD, 0, "pi", 'i')).result == 42 && seen[0] == 0x99 && seen[1] == 8, "a thiscall callback");
  uint64_t freed = zb_thunk(307, STANDARD, 0, "idq", 'i');
  zb_free_thunk(307);
  a = CALL(110, freed);
  check(a.status == 0 && a.result == 0, "a freed stdcall callback takes its arguments away");
}

void test_i386(void) {
  conventions();
  values();
  imbalance();
  batches();
  beyond();
  callbacks();
}
