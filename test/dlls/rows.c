/* What batches call. */
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
#define API __declspec(dllexport)

#define TWICE(name, type) \
  API type twice_##name(type value) { return (type)(value + value); }
TWICE(int8, int8_t)
TWICE(uint8, uint8_t)
TWICE(int16, int16_t)
TWICE(uint16, uint16_t)
TWICE(int32, int32_t)
TWICE(uint32, uint32_t)
TWICE(int64, int64_t)
TWICE(uint64, uint64_t)
TWICE(float, float)
TWICE(double, double)
API _Bool is_odd(int value) { return value & 1; }
API int from_bool(_Bool value) { return value ? 10 : 20; }
API char next_char(char value) { return value + 1; }
API wchar_t next_wchar(wchar_t value) { return value + 1; }
API int add(int a, int b) { return a + b; }
API double scale(double a, float b, int8_t c, uint16_t d, int64_t e, double f) { return a * b + c + d + (double)e + f; }
API double total(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
  return a + b + c + d + e + f + g + h + i + j;
}

static int64_t seen;
API void note(int value) { seen += value; }
API int64_t noted(void) {
  int64_t before = seen;
  seen = 0;
  return before;
}

struct row {
  double x, y;
  int32_t count;
  char name[12];
  int64_t id;
};
API double weigh(const struct row *row) { return row->x * row->y + row->count; }
API void grow(struct row *row) {
  row->x *= 2;
  row->count++;
  row->name[0] = 'Z';
}
API void double_it(int32_t *value) { *value *= 2; }

struct small {
  int32_t a, b;
};
API int small_sum(struct small value) { return value.a + value.b; }
API double big_sum(struct row value) { return value.x + value.y + value.count; }
API struct small make_small(int a) {
  struct small made = {a, -a};
  return made;
}
API struct row make_row(int a) {
  struct row made = {a, 2.0 * a, a, "row", a * 1000LL};
  return made;
}

API int text_length(const char *text) { return text ? (int)strlen(text) : -1; }
API int wide_length(const wchar_t *text) { return text ? (int)wcslen(text) : -1; }
API const char *same_text(const char *text) { return text; }
API const char *parity(int value) { return value & 1 ? "odd" : value % 4 ? "even" : 0; }
API const wchar_t *wide_parity(int value) { return value & 1 ? L"\u00fcngerade" : L"gerade"; }
API void *pointer_of(uint64_t value) { return (void *)(uintptr_t)value; }
API int divide(int a, int b, int *quotient, double *exact) {
  *quotient = a / b;
  *exact = (double)a / b;
  return a % b;
}
API int halve(int a, int *half) {
  *half = a / 2;
  return a & 1;
}
API void only_out(int a, int *half) { *half = a / 2; }
API int last_error(int code) {
  SetLastError(code);
  return code + 1;
}
API int rest(int milliseconds) {
  Sleep(milliseconds);
  return milliseconds;
}
