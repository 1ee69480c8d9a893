/* Runs the tests of the bridge, all in one process against one loop; then measures (information only). */
#include "node.h"
#include <stdlib.h>

static double now(void) {
  LARGE_INTEGER f, t;
  QueryPerformanceFrequency(&f);
  QueryPerformanceCounter(&t);
  return 1e9 * (double)t.QuadPart / (double)f.QuadPart;
}
__attribute__((noinline)) static int32_t add(int32_t a, int32_t b) { return a + b; }
static int32_t divide(int32_t a, int32_t b) { return a / b; }

void measure(void) {
  enum { ROWS = 500000 };
  int32_t *a = (void *)arena(0), *b = a + ROWS, *out = b + ROWS;
  struct batch batch = {60, 0, ROWS, 4, out, NULL, NULL, 0, 'i', 2, {{a, 4, 'i'}, {b, 4, 'i'}}};
  double best = 1e18, start, loop = 1e18, crash;
  int32_t (*volatile f)(int32_t, int32_t) = add;
  zb_routine(60, (ULONG_PTR)add, 0, 0, "ii", 'i');
  zb_routine(61, (ULONG_PTR)divide, 0, 0, "ii", 'i');
  zb_routine(62, (ULONG_PTR)add, 0, ROUTINE_VARIADIC, "ii", 'i');
  for (int i = 0; i < ROWS; i++) a[i] = i, b[i] = 1;
  for (int round = 0; round < 20; round++) {
    start = now();
    run_batch(&batch);
    if (now() - start < best) best = now() - start;
    start = now();
    for (int i = 0; i < ROWS; i++) out[i] = f(a[i], b[i]);
    if (now() - start < loop) loop = now() - start;
  }
  printf("batch, two int columns: %.2f ns a row; C loop through a pointer %.2f\n", best / ROWS, loop / ROWS);
  batch.routine = 62, best = 1e18;
  for (int round = 0; round < 20; round++) {
    start = now();
    run_batch(&batch);
    if (now() - start < best) best = now() - start;
  }
  printf("batch, any signature: %.2f ns a row\n", best / ROWS);
  batch.routine = 61, batch.rows = 10000, batch.errors = out + ROWS, batch.capacity = 10000;
  for (int i = 0; i < 10000; i++) b[i] = 0;
  start = now();
  run_batch(&batch);
  crash = now() - start;
  printf("a crash by row: %.2f us\n", crash / 10000 / 1000);
  uint8_t message[64];
  uint32_t length = build_call(message, 60, 2, (uint64_t[]){3, 4}), last = 0;
  struct answer answer;
  for (int round = 0; round < 10; round++) {
    start = now();
    for (int i = 0; i < 1000; i++) last = publish(KIND_CALL, message, length, 0, 0);
    wait_for(last, &answer);
    if (round == 0 || now() - start < best) best = now() - start;
  }
  printf("a thousand calls at once: %.0f ns a call\n", best / 1000);
  double times[5];
  for (int round = 0; round < 5; round++) {
    start = now();
    for (int i = 0; i < 4000; i++) wait_for(publish(KIND_CALL, message, length, 0, 0), &answer);
    times[round] = (now() - start) / 4000;
  }
  printf("calls one by one, both sides spinning: %.0f %.0f %.0f %.0f %.0f ns a call; rings %u\n", times[0], times[1], times[2],
         times[3], times[4], rings);
}

int main(void) {
  check(strstr(zb_version(), sizeof(void *) == 8 ? " x86_64" : " i386") && zb_context_size() == sizeof(struct zb_context),
        "version");
  node_start_at(0xFFFFFF00); /* numbers run over on the way */
  if (getenv("ZB_MEASURE")) {
    measure();
    ExitProcess(0);
  }
  test_calls();
  test_crashes();
  test_batches();
  test_callbacks();
  test_texts();
  test_modes();
#ifdef __i386__
  test_i386();
#endif
  measure();
  test_fuzz();
  printf("%d passed, %d failed\n", passed, failed);
  fflush(stdout);
  ExitProcess(failed ? 1 : 0);
}
