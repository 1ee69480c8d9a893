/* Callbacks: arguments of all kinds, nesting, foreign threads, crashes inside, freed thunks. */
#include "node.h"

typedef int32_t (*int_callback)(int32_t, int32_t);
typedef double (*mixed_callback)(double, float, int8_t, uint16_t, double, int32_t, float);

static int32_t twice(int_callback f, int32_t a) { return f(a, 1) + f(a, 2); }
static double mixing(mixed_callback f) { return f(1.5, 2.5f, -3, 65535, 4.5, -6, 7.5f); }
static int32_t last(int_callback f) {
  SetLastError(55);
  f(1, 1);
  return (int32_t)GetLastError();
}
struct job {
  int_callback f;
  int32_t value, result;
};
static DWORD WINAPI worker(void *argument) {
  struct job *job = argument;
  for (int i = 0; i < 20; i++) job->result += job->f(job->value, i);
  return 0;
}
static int32_t threads(int_callback f, int32_t count) { /* count threads call back at once, and this one waits for them */
  struct job jobs[20];
  HANDLE handles[20] = {0};
  int32_t sum = 0;
  for (int i = 0; i < count; i++) {
    jobs[i] = (struct job){f, i, 0};
    handles[i] = CreateThread(NULL, 0, worker, &jobs[i], 0, NULL);
  }
  WaitForMultipleObjects((DWORD)count, handles, TRUE, INFINITE);
  for (int i = 0; i < count; i++) sum += jobs[i].result, CloseHandle(handles[i]);
  return sum;
}

static uint32_t seen_number, levels;
static int others, crash_inside;
static uint64_t thunk;

static uint64_t plain(int strand, uint32_t number, const uint64_t *a, uint32_t count) {
  seen_number = number;
  if (strand) others++;
  check(count == 2, "argument count of a callback");
  return (uint64_t)((int64_t)a[0] * 10 + (int64_t)a[1]);
}
static uint64_t mixed(int strand, uint32_t number, const uint64_t *a, uint32_t count) {
  (void)strand, (void)number;
  check(count == 7 && double_of(a[0]) == 1.5 && a[1] == bits_of_float(2.5f) && a[2] == (uint64_t)-3 && a[3] == 65535 &&
            double_of(a[4]) == 4.5 && a[5] == (uint64_t)-6 && a[6] == bits_of_float(7.5f),
        "mixed arguments of a callback");
  return bits_of(0.125);
}
/* Each level calls the routine again, which calls back again. */
static uint64_t nesting(int strand, uint32_t number, const uint64_t *a, uint32_t count) {
  (void)number, (void)count;
  if (levels++ < 20) {
    struct answer r = nested_call(strand, 50, 2, (uint64_t[]){thunk, a[0] + 1});
    check(r.status == 0, "nested call");
    return r.result;
  }
  return a[0];
}
static uint64_t crashing(int strand, uint32_t number, const uint64_t *a, uint32_t count) {
  uint8_t out[128];
  struct answer r = nested_call(strand, 20, 1, (uint64_t[]){0x40});
  (void)number, (void)count;
  check(r.status == 1 && r.code == 0xC0000005 && r.result == 0x40, "a crash inside a callback");
  r = nested_call(strand, 1, 2, (uint64_t[]){4, 5});
  check(r.result == 9, "a call after it");
  check(nested(strand, KIND_CONTROL, out, build_control(out, 13, 0, 0), &r) == KIND_OUTCOME, "a control inside a callback");
  memset(out, 0xEE, sizeof out);
  check(nested(strand, KIND_RETURN, out, 24, &r) == KIND_REPLY && r.status == 2, "a malformed return");
  check(nested(strand, 200, out, 24, &r) == KIND_REPLY && r.status == 2, "an unknown message");
  crash_inside++;
  return a[0];
}

void test_callbacks(void) {
  struct answer a;
  uint64_t old;
  zb_routine(50, ADDRESS(twice), 0, 0, "pi", 'i');
  zb_routine(51, ADDRESS(mixing), 0, 0, "p", 'd');
  zb_routine(52, ADDRESS(threads), 0, 0, "pi", 'i');
  zb_routine(53, ADDRESS(last), 0, 0, "p", 'i');
  thunk = zb_thunk(0x1DADBEEF, 0, 0, "ii", 'i');
  check(thunk != 0 && (zb_thunk(1, 0, 0, "i{4}", 'i') == 0) == (sizeof(void *) == 8) && zb_thunk(1, 0, 0, "i{", 'i') == 0,
        "thunks");
  on_callback = plain;
  a = CALL(50, thunk, 4);
  check(a.result == 83 && seen_number == 0x1DADBEEF, "two callbacks");
  a = CALL(53, thunk);
  check(a.result == 55, "the last error survives a callback");
  on_callback = mixed;
  a = CALL(51, zb_thunk(2, 0, 0, "dfbHdif", 'd'));
  check(double_of(a.result) == 0.125, "a double from a callback");
  on_callback = nesting;
  a = CALL(50, thunk, 100);
  check(a.status == 0 && levels > 20, "twenty levels");
  on_callback = crashing;
  a = CALL(50, thunk, 3);
  check(a.result == 6 && crash_inside == 2, "both callbacks came back");
  on_callback = plain;
  for (int count = 1; count <= 17; count += 4) {
    int32_t expected = 0;
    for (int i = 0; i < count; i++) expected += 20 * 10 * i + 190;
    a = CALL(52, thunk, (uint64_t)count);
    check((int32_t)a.result == expected, "threads of the DLL's own");
  }
  check(others == 20 * (1 + 5 + 9 + 13 + 17), "strands");
  on_callback = crashing;
  a = CALL(52, thunk, 2);
  check(a.status == 0 && crash_inside == 42, "crashes on threads of the DLL's own");

  on_callback = plain;
  check(zb_free_thunk(0x1DADBEEF) == 0 && zb_free_thunk(0x1DADBEEF) != 0, "free");
  old = thunk;
  a = CALL(50, old, 4);
  check(a.status == 0 && a.result == 0 && zb_disposed_calls() == 2, "a freed thunk answers zero");
  int reused = -1;
  for (int i = 0; i < 3000; i++) {
    uint64_t address = zb_thunk(5000 + (uint32_t)i, 0, 0, "ii", 'i');
    if (address == old && reused < 0) reused = i;
    zb_free_thunk(5000 + (uint32_t)i);
  }
  check(reused >= 1023 && reused < 3000, "a thunk is used again, but late");
}
