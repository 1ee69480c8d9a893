/* Code of the 32-bit age: both conventions, decorated names, structures on the stack, 64-bit numbers in two registers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#define API __declspec(dllexport)

API int add(int a, int b) { return a + b; }
/* exported as subtract@8, twice@8 (an int64 is 8 bytes), none@0 */
API int __stdcall subtract(int a, int b) { return a - b; }
API int64_t __stdcall twice(int64_t a) { return 2 * a; }
API int __stdcall none(void) { return 7; }
/* Exported with an underscore, as other compilers do, or without any decoration: see old32.def. */
int __stdcall microsoft(int a, short b) { return a * b; }
int watcom(int a) { return a + 1; }
int __stdcall undecorated(int a) { return -a; }

API int64_t mixed(char a, int64_t b, short c, double d, float e, uint64_t f) { return a + b + c + (int64_t)d + (int64_t)e + f; }
API double __stdcall mixed_std(char a, int64_t b, short c, double d, float e, uint64_t f) { return a + b + c + d + e + f; }
API float half(float a) { return a / 2; }
API double __stdcall third(double a) { return a / 3; }
API void *same_pointer(void *p) { return p; }
API size_t same_size(size_t n) { return n; }

#define BYTES(n)                                                          \
  typedef struct {                                                        \
    uint8_t bytes[n];                                                     \
  } bytes##n;                                                             \
  API int sum##n(int before, bytes##n value, int after) {                 \
    int sum = 100 * before + 1000 * after;                                \
    for (int i = 0; i < n; i++) sum += value.bytes[i];                    \
    return sum;                                                           \
  }                                                                       \
  API bytes##n make##n(int first) {                                       \
    bytes##n value;                                                       \
    for (int i = 0; i < n; i++) value.bytes[i] = first + i;               \
    return value;                                                         \
  }                                                                       \
  API bytes##n __stdcall turn##n(bytes##n value) {                        \
    bytes##n turned;                                                      \
    for (int i = 0; i < n; i++) turned.bytes[i] = value.bytes[n - 1 - i]; \
    return turned;                                                        \
  }
BYTES(1)
BYTES(2)
BYTES(3)
BYTES(4)
BYTES(5)
BYTES(7)
BYTES(8)
BYTES(12)
BYTES(16)
BYTES(33)

typedef struct {
  double x, y;
} point;
typedef struct {
  int32_t code;
  int64_t when;
  char name[5];
  void *next;
} record;
API point scale(point p, double by) { return (point){p.x * by, p.y * by}; }
API void __stdcall move(point *p, double dx) { p->x += dx; }
API int record_size(void) { return sizeof(record); }
API void change(record *r) {
  r->code++;
  r->when *= 2;
  strcpy(r->name, "abcd");
  r->next = (void *)0xfffffff0;
}

typedef struct node {
  struct node *next;
  int value;
} node;
API node *list(int count) {
  node *first = NULL;
  while (count-- > 0) {
    node *made = malloc(sizeof *made);
    made->next = first;
    made->value = count;
    first = made;
  }
  return first;
}

typedef int (*cdecl_callback)(int, double, int64_t);
typedef int(__stdcall *stdcall_callback)(int, double, int64_t);
API int call_cdecl(cdecl_callback f, int times) {
  int sum = 0;
  for (int i = 0; i < times; i++) sum += f(i, i / 2.0, (int64_t)i << 33);
  return sum;
}
API int __stdcall call_stdcall(stdcall_callback f, int times) {
  int sum = 0;
  for (int i = 0; i < times; i++) sum += f(i, i / 2.0, (int64_t)i << 33);
  return sum;
}
API int64_t call_wide(int64_t (*f)(int64_t)) { return f((int64_t)1 << 40) + 1; }
API double call_double(double (*f)(float)) { return f(1.5f) * 2; }
API int call_point(int (*f)(point, bytes5, int)) { return f((point){1, 2}, (bytes5){{1, 2, 3, 4, 5}}, 9); }

typedef struct {
  int (*plain)(int);
  int(__stdcall *standard)(int);
} table;
static int plain_ten(int a) { return a + 10; }
static int __stdcall standard_ten(int a) { return a * 10; }
API table tables = {plain_ten, standard_ten};
API int run_table(const table *t, int a) { return t->plain(a) + t->standard(a); }

static stdcall_callback kept;
API void keep(stdcall_callback f) { kept = f; }
static DWORD WINAPI from_thread(void *unused) { return kept(1, 2, 3); }
API int call_from_thread(void) {
  DWORD code = 0;
  HANDLE thread = CreateThread(NULL, 0, from_thread, NULL, 0, NULL);
  WaitForSingleObject(thread, INFINITE);
  GetExitCodeThread(thread, &code);
  CloseHandle(thread);
  return code;
}

API int text_length(const char *text) { return strlen(text); }
API int wide_length(const wchar_t *text) { return wcslen(text); }
API char *shout(char *text) { return _strupr(text); }

API int counter = 5;
API int read_at(const int *p) { return *p; }
API int divide(int a, int b) { return a / b; }
API void set_error(unsigned code) { SetLastError(code); }
API HRESULT __stdcall fail_with(HRESULT code) { return code; }
/* exported as @quick@8, @quick_many@24 */
API int __fastcall quick(int a, int b) { return a + b; }
API double __fastcall quick_many(float a, int b, double c, short d, int e) { return a + 10 * b + 100 * c + 1000 * d + 10000 * e; }
/* A method as Microsoft's compilers make it: the object in a register, the place of a structure result on the stack. */
typedef struct {
  int value;
} object;
API int __thiscall object_add(object *self, int a, char b) { return self->value += a + b; }
API point *__thiscall object_point(object *self, point *result, double y) {
  *result = (point){self->value, y};
  return result;
}
typedef struct {
  int(__thiscall *add)(object *, int, char);
  int(__fastcall *quick)(int, int);
} methods;
API methods its_methods = {object_add, quick};
API int ask_quick(int(__fastcall *f)(int, int, int), int times) {
  int sum = 0;
  for (int i = 0; i < times; i++) sum += f(i, 2, 3);
  return sum;
}
API int ask_method(int(__thiscall *f)(object *, int)) {
  object asked = {40};
  return f(&asked, 2);
}
