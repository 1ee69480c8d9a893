/* Objects that lead to each other, and what a routine makes of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define API __declspec(dllexport)

struct node {
  int value;
  struct node *next;
};
API void link_nodes(struct node *a, struct node *b) { a->next = b; }
API struct node *same_node(struct node *a) { return a; }
/* The first becomes the last. */
API void rotate(struct node **head) {
  struct node *first = *head, *last = first->next;
  *head = first->next;
  while (last->next) last = last->next;
  last->next = first;
  first->next = NULL;
}
struct held {
  struct node *node;
  int count;
};
API struct held hold(struct node *node) {
  struct held result = {node, 3};
  return result;
}
struct handle {
  struct node *node;
};
API struct handle handle_of(struct node *node) {
  struct handle result = {node};
  return result;
}
struct anything {
  void *data;
  int64_t number;
};
API void put_anything(struct anything *a, void *data) {
  a->data = data;
  a->number = (int64_t)(intptr_t)data;
}

struct deep {
  int value;
  struct deep *down;
  struct deep **side;
  int *count;
  struct deep *pair[2];
};
API int visit(struct deep *d) {
  int sum = 0;
  for (; d; d = d->down) {
    sum += ++d->value;
    if (d->count) *d->count += 10;
    if (d->side && *d->side) (*d->side)->value += 100;
    if (d->pair[1]) d->pair[1]->value += 1000;
  }
  return sum;
}

API void advance(int **p) { ++*p; }
API int64_t distance(const char *a, const char *b) { return b - a; }
API void add_one(uint8_t *a, int na, uint8_t *b, int nb) {
  for (int i = 0; i < na; i++) a[i]++;
  for (int i = 0; i < nb; i++) b[i]++;
}
API int alignment_of(const void *p) {
  int alignment = 1;
  while (alignment < 4096 && !((uintptr_t)p & (uintptr_t)alignment)) alignment <<= 1;
  return alignment;
}

typedef int (*operation)(int, int);
static int add(int a, int b) { return a + b; }
static int multiply(int a, int b) { return a * b; }
struct operations {
  operation first, second, third;
};
API void fill_operations(struct operations *o) {
  o->first = add;
  o->second = multiply;
}
API int apply_each(operation *all, int count, int a, int b) {
  int result = 0;
  for (int i = 0; i < count; i++) result = result * 100 + all[i](a, b);
  return result;
}
struct scaled {
  int (*f)(int);
  int plus;
};
API int apply_scaled(struct scaled s, int x) { return s.f(x) + s.plus; }
API int apply_scaled_at(const struct scaled *s, int x) { return s->f(x) + s->plus; }

API operation current = add;
API struct node first_node = {5, NULL};
API int numbers[4] = {1, 2, 3, 4};
API int *numbers_at = numbers;
API struct node *start = &first_node;
API int read_int(const int *p) { return *p; }

/* Text: bytes of a `char *`, however it comes. */
API int byte_of(const char *text, int i) { return (unsigned char)text[i]; }
API int byte_of_nth(const char **texts, int n, int i) { return (unsigned char)texts[n][i]; }
API void write_text(char *buffer) { strcpy(buffer, "gr\xfc\xdf"); }
