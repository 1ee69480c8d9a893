/* Routines that call back: now, later, nested, from threads of their own. */
#include <stdint.h>
#include <windows.h>
#include <setjmp.h>
#define API __declspec(dllexport)

typedef int32_t (*unary)(int32_t);
typedef double (*mixed)(int8_t, double, int64_t, float, const char *, uint16_t);

API int64_t apply(unary callback, int32_t count) {
  int64_t sum = 0;
  for (int32_t i = 0; i < count; i++) sum += callback(i);
  return sum;
}
API int32_t call_once(unary callback, int32_t value) { return callback(value); }
API int32_t __stdcall call_stdcall(int32_t(__stdcall *callback)(int32_t), int32_t value) { return callback(value); }
API double call_mixed(mixed callback) { return callback(-3, 1.5, 1LL << 40, 0.25f, "text", 65535); }
API int32_t call_two(unary a, unary b, int32_t value) { return a(value) * 1000 + b(value); }
API int32_t sort_of(int32_t (*compare)(const int32_t *, const int32_t *), int32_t *values, int32_t count) {
  int32_t swaps = 0;
  for (int32_t i = 0; i < count; i++)
    for (int32_t k = 0; k + 1 < count - i; k++)
      if (compare(values + k, values + k + 1) > 0) {
        int32_t held = values[k];
        values[k] = values[k + 1];
        values[k + 1] = held;
        swaps++;
      }
  return swaps;
}

static unary kept;
API void keep(unary callback) { kept = callback; }
API int32_t call_kept(int32_t value) { return kept(value); }

struct work {
  unary callback;
  int32_t value, count, delay;
  volatile LONG64 sum;
  HANDLE done;
};

static DWORD WINAPI run(void *given) {
  struct work *work = given;
  if (work->delay) Sleep(work->delay);
  for (int32_t i = 0; i < work->count; i++) InterlockedExchangeAdd64(&work->sum, work->callback(work->value + i));
  return 0;
}

/* From a thread of its own, which it waits for. */
API int64_t on_thread(unary callback, int32_t value) {
  struct work work = {callback, value, 1, 0, 0, 0};
  HANDLE thread = CreateThread(0, 0, run, &work, 0, 0);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  return work.sum;
}

/* From several threads at once, `count` times each. */
API int64_t on_threads(unary callback, int32_t threads, int32_t count) {
  static struct work works[64];
  HANDLE handles[64];
  int64_t sum = 0;
  for (int32_t i = 0; i < threads; i++) {
    struct work work = {callback, i * 1000, count, 0, 0, 0};
    works[i] = work;
    handles[i] = CreateThread(0, 0, run, &works[i], 0, 0);
  }
  WaitForMultipleObjects(threads, handles, TRUE, INFINITE);
  for (int32_t i = 0; i < threads; i++) {
    CloseHandle(handles[i]);
    sum += works[i].sum;
  }
  return sum;
}

/* From a thread that calls some time after this has returned. */
static struct work later;
static HANDLE later_thread;
API void on_thread_later(unary callback, int32_t value, int32_t count, int32_t delay) {
  struct work work = {callback, value, count, delay, 0, 0};
  later = work;
  later_thread = CreateThread(0, 0, run, &later, 0, 0);
}
API int64_t later_sum(void) {
  WaitForSingleObject(later_thread, INFINITE);
  CloseHandle(later_thread);
  return later.sum;
}
API int32_t rest(int32_t milliseconds) {
  Sleep(milliseconds);
  return milliseconds;
}
API int32_t plus(int32_t a, int32_t b) { return a + b; }

/* The last error that a routine finds after it has called back. */
API uint32_t error_around(unary callback, uint32_t error) {
  SetLastError(error);
  callback(1);
  return GetLastError();
}

/* A callback that calls `jump` never returns to `jump_over`. */
static jmp_buf place;
API int32_t jump_over(unary callback) { return setjmp(place) ? -1 : callback(1); }
API void jump(void) { longjmp(place, 1); }
API void end_thread(void) { ExitThread(7); }

/* 1 if what `values` holds is the same after the callback as before. */
API int32_t unchanged(const int32_t *values, int32_t count, unary callback, int32_t value) {
  int32_t before = 0, after = 0;
  for (int32_t i = 0; i < count; i++) before += values[i];
  callback(value);
  for (int32_t i = 0; i < count; i++) after += values[i];
  return before == after;
}
API int32_t sum_of_eight(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f, int32_t g, int32_t h) {
  return a + b + c + d + e + f + g + h;
}

/* Asks for a word, as login dialogs of libraries do. */
API int32_t ask_word(int32_t (*ask)(char *room, int32_t size, const char *question)) {
  char room[16];
  memset(room, 'x', sizeof room);
  int32_t length = ask(room, sizeof room, "word?");
  return length == 6 && !memcmp(room, "secret", 6);
}
