/* Libraries with state: they keep addresses of the caller's, and work on them while and after they are called. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#define API __declspec(dllexport)

struct job {
  int n;
  int stop;
};
API void each(int count, void (*f)(int, void *), void *user) {
  for (int i = 0; i < count; i++) f(i, user);
}
API int loop(struct job *job, void (*f)(int)) {
  for (; job->n < 1000 && !job->stop; job->n++) f(job->n);
  return job->n;
}
API void halt(struct job *job) { job->stop = 1; }

/* As zlib does: the state remembers whose it is. */
struct inner {
  void *owner;
};
struct stream {
  const unsigned char *next_in;
  unsigned avail_in;
  unsigned char *next_out;
  unsigned avail_out;
  const char *name;
  struct inner *state;
};
API int stream_open(struct stream *s) {
  s->state = malloc(sizeof *s->state);
  s->state->owner = s;
  return 0;
}
API int stream_step(struct stream *s) {
  if (!s->state || s->state->owner != s) return -2;
  while (s->avail_in && s->avail_out) {
    *s->next_out++ = *s->next_in++ ^ 0x20;
    s->avail_in--;
    s->avail_out--;
  }
  return (int)s->avail_in;
}
API int stream_close(struct stream *s) {
  free(s->state);
  s->state = NULL;
  return 0;
}
API int name_length(const struct stream *s) { return (int)strlen(s->name); }

/* Counts until it is told to stop. */
struct progress {
  volatile int done;
  volatile int abort;
};
API int work(struct progress *p, int most) {
  while (p->done < most && !p->abort) {
    Sleep(1);
    p->done++;
  }
  return p->done;
}

/* A thread of its own that fills a buffer later. */
static unsigned short *frame;
static int frame_size, frame_delay;
static HANDLE camera;
static DWORD WINAPI capture(void *unused) {
  (void)unused;
  Sleep((DWORD)frame_delay);
  for (int i = 0; i < frame_size; i++) frame[i] = (unsigned short)i;
  return 0;
}
API void camera_start(unsigned short *to, int size, int delay) {
  frame = to;
  frame_size = size;
  frame_delay = delay;
  camera = CreateThread(NULL, 0, capture, NULL, 0, NULL);
}
API void camera_wait(void) {
  WaitForSingleObject(camera, INFINITE);
  CloseHandle(camera);
}
API int hold(const unsigned char *bytes, int size, int milliseconds) {
  Sleep((DWORD)milliseconds);
  int wrong = 0;
  for (int i = 0; i < size; i++) wrong += bytes[i] != 7;
  return wrong;
}

struct node {
  int value;
  struct node *next;
};
API struct node *turn_round(struct node *head) {
  struct node *done = NULL;
  while (head) {
    struct node *next = head->next;
    head->next = done;
    done = head;
    head = next;
  }
  return done;
}
API int64_t sum_nodes(const struct node *head) {
  int64_t sum = 0;
  for (; head; head = head->next) sum += head->value;
  return sum;
}

static int *kept;
API int *keep_int(int *p) { return kept = p; }
API int read_kept(void) { return *kept; }
API void write_kept(int value) { *kept = value; }

struct texts {
  char *narrow;
  const wchar_t *wide;
  int *numbers;
};
API int first_number(const struct texts *t) { return t->numbers ? t->numbers[0] : -1; }
API void double_numbers(struct texts *t, int count) {
  for (int i = 0; i < count; i++) t->numbers[i] *= 2;
}
API int lengths(const struct texts *t) {
  return (t->narrow ? (int)strlen(t->narrow) : 0) + (t->wide ? 100 * (int)wcslen(t->wide) : 0);
}

struct blob {
  uint32_t count;
  uint32_t values[1];
};
API uint32_t sum_blob(const struct blob *b) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < b->count; i++) sum += b->values[i];
  return sum;
}

API double scale(double *values, int count, double by) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += values[i] *= by;
  return sum;
}
API double twice(double x) { return 2 * x; }
API void add_one(int *p) { ++*p; }
API int64_t address_of(void *p) { return (int64_t)(intptr_t)p; }
