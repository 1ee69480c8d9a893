/* Text and bytes, both ways. */
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#define API __declspec(dllexport)

API int length(const char *text) { return text ? (int)strlen(text) : -1; }
API int wide_length(const wchar_t *text) { return text ? (int)wcslen(text) : -1; }
API const char *echo(const char *text) { return text; }
API const wchar_t *wide_echo(const wchar_t *text) { return text; }
API const char *greeting(void) { return "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80"; }
API const wchar_t *wide_greeting(void) { return L"gr\u00fc\u00df dich \u20ac \xd83d\xde00"; }
API const wchar_t *lone_surrogate(void) { return L"a\xd800z"; }
API const char *not_utf8(void) { return "a\xff\xfez"; }
API const char *nothing(void) { return 0; }
API int byte_at(const uint8_t *text, int at) { return text[at]; }
API int unit_at(const wchar_t *text, int at) { return text[at]; }

API void shout(char *text) {
  for (; *text; text++)
    if (*text >= 'a' && *text <= 'z') *text -= 32;
}
API void wide_shout(wchar_t *text) {
  for (; *text; text++)
    if (*text >= 'a' && *text <= 'z') *text -= 32;
}
API void fill(uint8_t *bytes, int count, int value) { memset(bytes, value, count); }
API int64_t checksum(const uint8_t *bytes, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) sum += bytes[i] * (i % 251 + 1);
  return sum;
}
API void increment(uint8_t *bytes, int64_t count) {
  for (int64_t i = 0; i < count; i++) bytes[i]++;
}
API void count_up(double *into, int count) {
  for (int i = 0; i < count; i++) into[i] = i;
}
API void negate(int32_t *values, int count) {
  for (int i = 0; i < count; i++) values[i] = -values[i];
}
/* The same memory, seen from both its names. */
API int64_t between(const uint8_t *a, const uint8_t *b) { return b - a; }

/* Memory that the DLL keeps. */
static int32_t *kept;
API void keep(int32_t *memory) { kept = memory; }
API int32_t add_to_kept(int32_t more) { return *kept += more; }
static int32_t own[8] = {1, 2, 3, 4, 5, 6, 7, 8};
API int32_t *own_numbers(void) { return own; }
static const int32_t fixed = 7;
API const int32_t *read_only(void) { return &fixed; }
