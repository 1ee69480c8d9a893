/* Mutated frames, by a seed (ZB_SEED): each is answered, and a good call between them still works. ZB_FRAMES says how many. What a
 * frame may do that is none the worse for it is no fault of the bridge's: it calls routines that harm nothing whatever they are
 * given, and writes where nobody has anything. */
#include "node.h"
#include <stdlib.h>

enum { FRAMES = 120000, FRAMES_A_REQUEST = 200, ROUTINES = 256 /* those of the other tests */ };
static uint64_t state = 0x9E3779B97F4A7C15;
static uint32_t random32(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 32);
}

static uint32_t frame(uint8_t *out, uint32_t *kind) {
  int32_t *a = (void *)arena(0x1000), *r = (void *)arena(0x3000);
  struct batch batch = {45, random32() % 2, 20, 4, r, arena(0x4000), arena(0x5000), 8, 'i', 2, {{a, 4, 'i'}, {a + 30, 4, 'i'}}};
  *kind = 1 + random32() % 3;
  if (*kind == KIND_CALL) return build_call(out, random32() % 4 ? 1 : 45, 2, (uint64_t[]){random32(), random32() % 3});
  if (*kind == KIND_BATCH) return build_batch(out, &batch);
  return build_control(out, 13, ARENA_OFFSET + 0x6000, 256);
}

static void mutate(uint8_t *bytes, uint32_t length) {
  static const uint32_t interesting[] = {0,      1,          0x7F,       0x80,       0xFF,       0x7FFF,
                                         0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 1000};
  for (uint32_t times = 1 + random32() % 4; times; times--) {
    uint32_t at = random32() % length, value = interesting[random32() % 12];
    switch (random32() % 4) {
      case 0: bytes[at] = (uint8_t)random32(); break;
      case 1: bytes[at] ^= (uint8_t)(1 << random32() % 8); break;
      case 2:
        if (at + 4 <= length) memcpy(bytes + (at & ~3u), &value, 4);
        break;
      default: bytes[at] = (uint8_t)value;
    }
  }
}

/* Of a batch that has been mutated: where it writes. Node may have it write anywhere, over the driver as well. */
static void confine(uint8_t *batch) {
  const uint32_t written[] = {BATCH_RESULTS, BATCH_ERRORS, BATCH_LAST_ERRORS_AT};
  const uint64_t base = (ULONG_PTR)segment, nowhere = 8;
  for (int i = 0; i < 3; i++) {
    uint64_t address;
    memcpy(&address, batch + written[i], 8);
    if (address && address - base >= AWAY_SIZE) memcpy(batch + written[i], &nowhere, 8);
  }
}

static uint32_t counts[5];

static int one(void) {
  uint8_t out[512];
  struct answer answer = {.status = 77};
  uint32_t kind, length = frame(out, &kind), flags = 0, offset = 0, number;
  if (random32() % 16) mutate(out, length);
  if (kind == KIND_BATCH) {
    out[BATCH_ROWS + 2] = out[BATCH_ROWS + 3] = 0; /* billions of rows are legal, but long */
    confine(out);
  }
  if (kind == KIND_CONTROL && (out[44] == 19 || !random32())) out[44] = 13;
  if (random32() % 8 == 0) { /* in the arena, perhaps at its very end */
    uint32_t at = random32() % 2 ? 0x700000 : 0x800000 - (length & ~3u) - (random32() % 3 ? 4 : 0);
    if (at + length <= 0x800000) memcpy(arena(at), out, length);
    flags = 1, offset = ARENA_OFFSET + at;
  }
  if (random32() % 8 == 0) {
    if (random32() % 2) length = random32() % 3 ? random32() % 300 : random32();
    if (random32() % 4 == 0) kind = random32() & 0xFF;
    if (random32() % 4 == 0)
      flags = random32() & 0xFFFF, offset = random32() % 2 ? random32() : ARENA_OFFSET + random32() % 0x900000;
  }
  number = publish(kind, out, length, flags, offset);
  if (!wait_for(number, &answer)) return 0;
  counts[answer.status < 4 ? answer.status : 4]++;
  return answer.status < 4;
}

static uint64_t inside(uint32_t from) { return (ULONG_PTR)segment + from + random32() % ((uint32_t)segment_size - from); }

/* What is asked of the memory window: whole if it may be, and if it may be is what the segment says, as long as it lies there. */
static int one_of_window(uint32_t number) {
  const uint32_t sizes[] = {0, 1, 8, random32() % 300, WINDOW_ROOM, WINDOW_ROOM + 1, 0x7FFFFFFF, 0xFFFFFFFF};
  uint64_t base = (ULONG_PTR)segment, address, rest;
  uint32_t op = 1 + random32() % 2, size = sizes[random32() % 8], place = random32() % 4;
  address = place == 0 ? inside(0) : place == 1 ? inside(ARENA_OFFSET) : base + segment_size - random32() % 300;
  if (place == 3 && random32() % 2) op = MEMORY_READ, address = (uint64_t)random32() << 32 | random32();
  rest = random32() % 2 ? size : random32() % 2 ? (uint64_t)size + sizes[random32() % 8] : (uint64_t)-1;
  memcpy(segment + WINDOW_OFFSET + WINDOW_OP, &op, 4);
  memcpy(segment + WINDOW_OFFSET + WINDOW_ADDRESS, &address, 8);
  memcpy(segment + WINDOW_OFFSET + WINDOW_REST, &rest, 8);
  memcpy(segment + WINDOW_OFFSET + WINDOW_SIZE, &size, 4);
  __atomic_store_n(word(WINDOW_OFFSET), number, __ATOMIC_SEQ_CST);
  *word(WORD_STRAND_SLEEPS + 4) = 1;
  ring(1, WORD_STRAND_SLEEPS + 4);
  for (int i = 0; *word(WINDOW_ANSWER) != number && i < 20000; i++) Sleep(i > 1000);
  if (*word(WINDOW_ANSWER) != number) return 0;
  if (!size || address < base || address >= base + segment_size) return 1; /* nobody asks for nothing */
  uint64_t offset = address - base;
  int may = size <= rest && size <= WINDOW_ROOM &&
            (!rest || (rest <= segment_size - offset && (op == MEMORY_READ || offset >= ARENA_OFFSET)));
  if (*word(WINDOW_ANSWER + 4) == (uint32_t)may) return 0;
  return !may || offset < ARENA_OFFSET || !memcmp(segment + offset, segment + WINDOW_DATA, size);
}

void test_fuzz(void) {
  int32_t *a = (void *)arena(0x1000);
  int good = 1, answered = 0, asked = 0;
  const int frames = getenv("ZB_FRAMES") ? atoi(getenv("ZB_FRAMES")) : FRAMES;
  if (getenv("ZB_SEED")) state ^= strtoull(getenv("ZB_SEED"), NULL, 10) * 0x2545F4914F6CDD1D;
  const int requests = frames / FRAMES_A_REQUEST;
  for (uint32_t routine = 0; routine < ROUTINES; routine++)
    if (routine != 1 && routine != 45) zb_release(routine);
  while (asked < requests && one_of_window((uint32_t)asked + 1)) asked++;
  check(asked == requests, "requests in the memory window are answered, and carried out where they may be");
  for (int i = 0; i < 60; i++) a[i] = i % 7;
  for (; answered < frames && one(); answered++)
    if (answered % 1000 == 0) good &= call(1, 2, (uint64_t[]){40, 2}).result == 42;
  check(answered == frames && good, "mutated frames are answered");
  check(*word(WORD_MAGIC) == MAGIC && *word(WORD_VERSION) == WIRE_VERSION, "the control block is untouched");
  printf("fuzz: %d frames; %u done, %u crashed, %u refused, %u undeclared\n", answered, counts[0], counts[1], counts[2], counts[3]);

  node_stop();
  node_start_at(7);
  uint8_t message[64];
  struct answer answer;
  volatile uint32_t *slot = (volatile uint32_t *)(ULONG_PTR)(segment + REQUEST_OFFSET + 7 * REQUEST_SIZE);
  uint32_t length = build_call(message, 1, 2, (uint64_t[]){40, 2});
  *slot = 77; /* another number than the next */
  int told = 0;
  for (int round = 0; round < 20; round++) {
    while (!*word(WORD_HOST_SLEEPS)) Sleep(0);
    *word(WORD_DONE) = 12345;
    ring(0, WORD_HOST_SLEEPS);
    while (!*word(WORD_HOST_SLEEPS)) Sleep(0);
    told += *word(WORD_DONE) == 7;
  }
  check(told == 20 && served == 99, "whoever rings is told how much is done, whatever somebody wrote there");
  check(wait_for(publish(KIND_CALL, message, length, 0, 0), &answer) && answer.result == 42,
        "the next is taken when it has its number");
  publish(KIND_CALL | THREADS << 8, message, length, 0, 0);
  for (int i = 0; i < 3000 && served == 99; i++) Sleep(1);
  check(served == ZB_CORRUPT && *word(WORD_HOST_STATE) == STATE_LEAVING, "a request of nobody stops the loop");
}
