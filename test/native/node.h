/* Node's side of the wire, played by the test driver. */
#ifndef NODE_H
#define NODE_H
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdio.h>
#include <string.h>
#include "bridge.h"
#include "wire.h"

struct answer {
  uint32_t status, code, last_error;
  int32_t errno_value;
  uint64_t texts, result;
};
struct column {
  const void *pointer;
  int64_t stride;
  uint64_t kind;
};
struct batch {
  uint32_t routine, flags, rows, result_stride;
  void *results, *errors, *last_errors;
  uint32_t capacity, result_kind, count;
  struct column columns[12];
};
/* A record of a row that failed. */
struct failure {
  uint32_t row, code;
  uint64_t address;
};
/* Room for texts that calls and batches of the tests bring. */
extern void *text_room;
extern uint32_t text_room_size;
/* A test's handler of callbacks; what it returns goes back to the routine. */
typedef uint64_t (*handler)(int strand, uint32_t number, const uint64_t *arguments, uint32_t count);

/* The segment, and as much behind it as nobody else is to use. */
enum { AWAY_SIZE = 0x10000000 };
extern uint8_t *segment;
extern uint64_t segment_size;
extern handler on_callback;
extern int passed, failed;
extern uint32_t sequence, rings, naps;
extern volatile LONG served; /* zb_serve's result, 99 while it runs */

/* Begins to count with a number. */
void node_start_at(uint32_t start);
void node_stop(void);
volatile uint32_t *word(uint32_t offset);
uint8_t *arena(uint32_t offset);
uint32_t build_call(uint8_t *out, uint32_t routine, uint32_t count, const uint64_t *arguments);
uint32_t build_batch(uint8_t *out, const struct batch *batch);
uint32_t build_control(uint8_t *out, uint8_t op, uint64_t room, uint32_t room_size);
/* Publishes a request; flags and offset as in the slot's header. */
uint32_t publish(uint32_t kind, const void *message, uint32_t length, uint32_t flags, uint32_t offset);
/* Rings for a strand of the host, if it sleeps; `sleeps` is where it says so. */
void ring(int strand, uint32_t sleeps);
int wait_for(uint32_t number, struct answer *answer);
struct answer call(uint32_t routine, uint32_t count, const uint64_t *arguments);
/* The same with arguments one after the other, and how an address is one of them. */
#define CALL(number, ...) call(number, sizeof((uint64_t[]){__VA_ARGS__}) / 8, (uint64_t[]){__VA_ARGS__})
#define ADDRESS(f) (uint64_t)(ULONG_PTR)(f)
struct answer run_batch(const struct batch *batch);
struct answer control(uint8_t op);
/* Posts into a strand's mailbox, and waits for the answer there; a Callback that comes first is handled. Returns its kind. */
uint32_t nested(int strand, uint32_t kind, const void *message, uint32_t length, struct answer *answer);
struct answer nested_call(int strand, uint32_t routine, uint32_t count, const uint64_t *arguments);
void check(int good, const char *what);
static inline uint64_t bits_of(double v) {
  uint64_t b;
  memcpy(&b, &v, 8);
  return b;
}
static inline uint64_t bits_of_float(float v) {
  uint32_t b;
  memcpy(&b, &v, 4);
  return b;
}
static inline double double_of(uint64_t b) {
  double v;
  memcpy(&v, &b, 8);
  return v;
}

void test_calls(void);
void test_crashes(void);
void test_batches(void);
void test_callbacks(void);
void test_texts(void);
void test_modes(void);
void test_i386(void);
void test_fuzz(void);
void measure(void);
#endif
