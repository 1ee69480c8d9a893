#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#define API __declspec(dllexport)

API void bubblesort(float *a, int n) {
  for (int i = 0; i < n - 1; i++)
    for (int j = 0; j < n - i - 1; j++)
      if (a[j] > a[j + 1]) {
        float t = a[j];
        a[j] = a[j + 1];
        a[j + 1] = t;
      }
}
API void bubblesort2(float *a, int u, int v) { bubblesort(a, u * v); }

typedef struct {
  float *a;
  int n;
} Sort;
API void bubblesort_struct(Sort *data) { bubblesort(data->a, data->n); }

API void replace_char(char *text, char old, char new) {
  for (; *text; text++)
    if (*text == old) *text = new;
}
API void replace_wchar(wchar_t *text, wchar_t old, wchar_t new) {
  for (; *text; text++)
    if (*text == old) *text = new;
}

API void tag(const char *in, void *out) {
  size_t n = strlen(in);
  char *made = malloc(n + 3);
  made[0] = '<';
  memcpy(made + 1, in, n);
  strcpy(made + n + 1, ">");
  *(char **)out = made;
}
API void wide_tag(const wchar_t *in, wchar_t **out) {
  size_t n = wcslen(in);
  wchar_t *made = malloc(2 * (n + 3));
  made[0] = '<';
  memcpy(made + 1, in, 2 * n);
  wcscpy(made + n + 1, L">");
  *out = made;
}

API void square(const int16_t *in, void *out, int16_t n) {
  int16_t *made = malloc(2 * n);
  for (int i = 0; i < n; i++) made[i] = in[i] * in[i];
  *(int16_t **)out = made;
}

typedef struct {
  int16_t *data;
  int16_t len;
} Shorts;
API void square_struct(const Shorts *in, Shorts *out) {
  out->len = in->len;
  square(in->data, &out->data, in->len);
}
static Shorts made;
static int16_t numbers[64];
/* always in the same place: whoever kept no copy sees the next one */
API Shorts *fibonacci(int16_t len) {
  made.len = len;
  made.data = numbers;
  for (int i = 0; i < len; i++) numbers[i] = i < 2 ? 1 : numbers[i - 1] + numbers[i - 2];
  return &made;
}
API int16_t *fibonacci_array(int16_t len) { return fibonacci(len)->data; }
API void spoil(void) { memset(numbers, 0x55, sizeof numbers); }
API int fibonacci_count(int16_t len, int16_t **out) {
  *out = fibonacci(len)->data;
  return len;
}
API Shorts by_value(int16_t len) { return *fibonacci(len); }
API const char *raw_text(void) { return "ab\0cd"; }

typedef struct Node {
  struct Node *inner;
  char *name;
  int values_len;
  double *values;
} Node;
API void fill_node(Node *node) {
  static double values[] = {1.5, 2.5, 3.5};
  static Node inner = {NULL, "inner", 3, values};
  node->inner = &inner;
  node->name = "outer";
}
API void leave(Shorts *s) { s->len = 2; }
API void shrink(Shorts *s) {
  s->data[0] = 7;
  s->len = 1;
}
API double avg(const double *a, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i];
  return sum / n;
}
API int16_t first(void *p, int n) { return n ? *(int16_t *)p : -1; }
API void no_result(int16_t *p, int n) { p[0] = n; }

typedef struct {
  int16_t *data;
  int16_t width, height;
} Image;
API int run_filter(int16_t (*filter)(Image *), int16_t *seen, int n) {
  int16_t data[12];
  Image image = {data, 4, 3};
  for (int i = 0; i < 12; i++) data[i] = i;
  int result = filter(&image);
  for (int i = 0; i < n; i++) seen[i] = image.data[i];
  return result * 1000 + image.width;
}
API int run_buffer(int (*f)(void *, int), int n) {
  int *data = calloc(n, 4);
  for (int i = 0; i < n; i++) data[i] = i;
  int result = f(data, n);
  int sum = 0;
  for (int i = 0; i < n; i++) sum += data[i];
  free(data);
  return result + 1000 * sum;
}
API int run_text(int (*f)(const char *, const wchar_t *)) { return f("constant", L"wide"); }
API int run_two(int (*f)(int *, int *, int), int n) {
  int *data = calloc(n, 4);
  int result = f(data, data + 1, n);
  result += 10 * data[1];
  free(data);
  return result;
}
