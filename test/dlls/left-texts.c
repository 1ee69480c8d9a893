/* Texts that last only until the next call, in every place where a routine can leave one; and pointers that are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#define API __declspec(dllexport)
#define NOWHERE ((void *)0x123)

static char text[64];
static wchar_t wide[64];
API const char *number(int v) {
  sprintf(text, "n%d", v);
  return text;
}
API const wchar_t *wide_number(int v) {
  for (int i = 0; i < 8; i++) wide[i] = L'0' + ((v >> (3 * (7 - i))) & 7);
  wide[8] = 0;
  return wide;
}
/* What it gave before is gone, and its memory says something else. */
API const char *fresh(int v) {
  static char *last;
  if (last) memset(last, '?', 8), free(last);
  sprintf(last = malloc(16), "n%d", v);
  return last;
}
API int out_number(int v, const char **narrow, const wchar_t **wide_one) {
  *narrow = number(v);
  *wide_one = wide_number(v);
  return -v;
}

struct only {
  const char *text;
};
API struct only only(int v) { return (struct only){number(v)}; }
struct inner {
  const wchar_t *wide;
  int value;
};
struct several {
  int value;
  const char *text;
  struct inner inner[2];
};
API struct several several(int v) {
  return (struct several){v, number(v), {{wide_number(v), v + 1}, {v % 2 ? NULL : L"even", v + 2}}};
}
API int fill_several(int v, struct several *out) {
  *out = several(v);
  return v;
}
/* The text is the caller's, who gives the structure back to have it freed. */
static int owned;
API struct several make(int v) {
  struct several made = {v, malloc(16), {{NULL, 0}, {NULL, 0}}};
  sprintf((char *)made.text, "made %d", v);
  owned++;
  return made;
}
API void shout(struct several *s) {
  for (char *c = (char *)s->text; *c; c++)
    if (*c >= 'a' && *c <= 'z') *c -= 32;
}
API int release(struct several s) {
  int good = !memcmp(s.text, "made", 4) || !memcmp(s.text, "MADE", 4);
  free((char *)s.text);
  owned--;
  return good;
}
API int owned_now(void) { return owned; }

/* A value or a text, as `kind` says. */
struct either {
  int kind;
  union {
    long long value;
    const char *text;
  } as;
};
API struct either either(int v) {
  struct either e = {v % 2, {.value = v}};
  if (e.kind) e.as.text = number(v);
  return e;
}

/* Of any length; the next call writes over it. */
static char *room;
API const char *of_length(int n) {
  if (!room) room = malloc(8 << 20);
  memset(room, 'a' + n % 26, n);
  room[n] = 0;
  return room;
}
API const wchar_t *wide_of_length(int n) {
  wchar_t *w = (wchar_t *)of_length(2 * n + 2);
  for (int i = 0; i < n; i++) w[i] = 0x4100 + n % 26;
  w[n] = 0;
  return w;
}

API const char *wild(int v) { return v % 3 == 0 ? number(v) : v % 3 == 1 ? NULL : NOWHERE; }
API int out_wild(int v, const char **to) {
  *to = wild(v);
  return v;
}
API struct several several_wild(int v) { return (struct several){v, NOWHERE, {{L"good", v}, {NOWHERE, v}}}; }
API struct only only_wild(void) { return (struct only){NOWHERE}; }
/* No zero up to the end of what is there: Windows has nothing behind a page of its own. */
#include <windows.h>
API const char *endless(void) {
  static char *page;
  if (!page) {
    page = VirtualAlloc(NULL, 65536, MEM_RESERVE, PAGE_NOACCESS);
    VirtualAlloc(page, 4096, MEM_COMMIT, PAGE_READWRITE);
    memset(page, 'x', 4096);
  }
  return page + 4000;
}
API const char *through(const char *(*f)(int), int v) { return f(v); }
API int twice(int (*f)(int), int v) { return f(v) + f(v + 1); }
