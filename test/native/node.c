/* The driver's Node: writes slots and mailboxes byte by byte as docs/wire.md has them. */
#include "node.h"
#include <stdlib.h>

uint8_t *segment;
uint64_t segment_size = ARENA_OFFSET + 0x800000;
handler on_callback;
int passed, failed;
void *text_room;
uint32_t text_room_size;
uint32_t sequence, rings, naps; /* rings: of a host that slept */
volatile LONG served;
static HANDLE bells[2]; /* of the main loop, and of everything else */
static uint32_t posts[STRANDS], posted[STRANDS];

volatile uint32_t *word(uint32_t offset) { return (volatile uint32_t *)(segment + offset); }
uint8_t *arena(uint32_t offset) { return segment + ARENA_OFFSET + offset; }
void check(int good, const char *what) {
  if (good) {
    passed++;
    if (getenv("ZB_VERBOSE")) printf("ok: %s\n", what);
  } else failed++, printf("FAILED: %s\n", what);
  fflush(stdout);
}

static int32_t on_control(const uint8_t *message, uint32_t length, uint8_t *out, uint32_t capacity) {
  static const uint8_t outcome[16] = {12, 0, 0, 0, 4, 0, 4, 0};
  uint8_t op = length >= 52 ? message[44] : 0;
  if (op == 99) return -1;
  if (capacity < 16) return 0;
  memcpy(out, outcome, 16);
  return op == 19 ? 16 | ZB_CONTROL_EXIT : 16;
}

static DWORD WINAPI server(void *unused) {
  (void)unused;
  served = zb_serve();
  return 0;
}

static DWORD WINAPI watchdog(void *unused) {
  (void)unused;
  Sleep(getenv("ZB_LIMIT") ? (DWORD)atoi(getenv("ZB_LIMIT")) : 100000);
  printf("FAILED: timed out\n%d passed, %d failed\n", passed, failed + 1);
  fflush(stdout);
  ExitProcess(3);
}

void node_start_at(uint32_t start) {
  struct zb_context context;
  static int first = 1;
  memset(&context, 0, sizeof context);
  /* far from everything else, so that a mutated address does not hit the driver's own memory */
  if (first) {
    void *away = (void *)(ULONG_PTR)(sizeof(void *) == 8 ? 0x222200000000 : 0x22220000);
    VirtualAlloc(away, AWAY_SIZE, MEM_RESERVE, PAGE_NOACCESS);
    segment = VirtualAlloc(away, segment_size, MEM_COMMIT, PAGE_READWRITE);
    CreateThread(NULL, 0, watchdog, NULL, 0, NULL);
  }
  first = 0;
  memset(segment, 0, ARENA_OFFSET);
  memset(posts, 0, sizeof posts);
  memset(posted, 0, sizeof posted);
  sequence = start;
  *word(WORD_DONE) = start;
  for (uint32_t i = 0; start && i < SLOTS; i++) { /* what slots hold that have been used before */
    *(uint32_t *)(segment + REQUEST_OFFSET + (start - i - 1) % SLOTS * REQUEST_SIZE) = start - i;
    *(uint32_t *)(segment + REPLY_OFFSET + (start - i - 1) % SLOTS * REPLY_SIZE) = start - i;
  }
  *word(WORD_MAGIC) = MAGIC;
  *word(WORD_VERSION) = WIRE_VERSION;
  context.size = sizeof context;
  context.wire_version = WIRE_VERSION;
  context.segment = segment;
  context.segment_size = segment_size;
  context.control = on_control;
  context.errno_location = _errno;
  CreatePipe(&context.host_bell, &bells[0], NULL, 0);
  CreatePipe(&context.strands_bell, &bells[1], NULL, 0);
  check(zb_init(&context) == ZB_OK, "init");
  served = 99;
  CloseHandle(CreateThread(NULL, 4 << 20, server, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL));
}

void ring(int strand, uint32_t sleeps) {
  DWORD written;
  if (!InterlockedExchange((volatile LONG *)word(sleeps), 0)) return;
  rings++;
  WriteFile(bells[strand != 0], "!", 1, &written, NULL);
}

uint32_t build_call(uint8_t *out, uint32_t routine, uint32_t count, const uint64_t *arguments) {
  static const uint16_t vtable[] = {12, 24, 8, 16, 20, 4};
  uint32_t head[12] = {16, 0, 0, 0, 12, 24, 0, 0, routine, text_room_size, 0, count};
  uint64_t room = (ULONG_PTR)text_room;
  memcpy(head + 1, vtable, sizeof vtable);
  memcpy(head + 6, &room, sizeof room);
  memcpy(out, head, 48);
  memcpy(out + 48, arguments, 8 * count);
  return 48 + 8 * count;
}

uint32_t build_batch(uint8_t *out, const struct batch *b) {
  static const uint16_t vtable[14] = {28, 68, 8, 16, 20, 24, 28, 32, 40, 48, 56, 60, 4, 64};
  uint32_t head[26] = {32, 0, 0, 0, 0, 0, 0, 0, 28, 64, 0, 0, b->routine, b->flags, b->rows, b->result_stride};
  uint64_t room = (ULONG_PTR)text_room, addresses[3] = {(ULONG_PTR)b->results, (ULONG_PTR)b->errors, (ULONG_PTR)b->last_errors};
  memcpy(head + 1, vtable, sizeof vtable);
  memcpy(head + 10, &room, sizeof room);
  memcpy(head + 16, addresses, 24);
  head[22] = b->capacity, head[23] = b->result_kind, head[24] = text_room_size, head[25] = b->count;
  memcpy(out, head, 104);
  for (uint32_t i = 0; i < b->count; i++) {
    uint64_t column[3] = {(ULONG_PTR)b->columns[i].pointer, (uint64_t)b->columns[i].stride, b->columns[i].kind};
    memcpy(out + 104 + 24 * i, column, 24);
  }
  return 104 + 24 * b->count;
}

/* Root, vtable of five fields, then room, room_size, op. */
uint32_t build_control(uint8_t *out, uint8_t op, uint64_t room, uint32_t room_size) {
  static const uint16_t vtable[] = {14, 32, 24, 0, 0, 4, 20, 0};
  uint32_t head[6] = {20, 0, 0, 0, 0, 16};
  memset(out, 0, 56);
  memcpy(head + 1, vtable, sizeof vtable);
  memcpy(out, head, 24);
  memcpy(out + 24, &room, 8);
  memcpy(out + 40, &room_size, 4);
  out[44] = op;
  return 56;
}

/* The message is the number `sequence` of thread 0, which has made all before it. */
uint32_t publish(uint32_t kind, const void *message, uint32_t length, uint32_t flags, uint32_t offset) {
  uint8_t *slot = segment + REQUEST_OFFSET + sequence % SLOTS * REQUEST_SIZE;
  uint32_t head[3] = {length, kind | flags << 16, sequence + 1};
  if (message) memcpy(slot + MESSAGE, message, length < 240 ? length : 240);
  if (flags & MESSAGE_IN_ARENA) memcpy(slot + MESSAGE, &offset, 4);
  memcpy(slot + HEADER_LENGTH, head, sizeof head);
  __atomic_store_n((volatile uint32_t *)slot, ++sequence, __ATOMIC_SEQ_CST);
  ring(0, WORD_HOST_SLEEPS);
  return sequence;
}

static int post(int strand, uint32_t kind, const void *message, uint32_t length) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE + STRAND_TO_HOST;
  uint32_t head[2] = {length, kind};
  memcpy(box + MESSAGE, message, length);
  memcpy(box + HEADER_LENGTH, head, sizeof head);
  __atomic_store_n((volatile uint32_t *)box, ++posted[strand], __ATOMIC_SEQ_CST);
  ring(strand, WORD_STRAND_SLEEPS + 4 * (uint32_t)strand);
  return 0;
}

/* Has the host's strand posted what has not been looked at? */
static int is_new(int strand) {
  return *(volatile uint32_t *)(segment + STRAND_OFFSET + strand * STRAND_SIZE) == posts[strand] + 1;
}

/* Handles a Callback if there is one. */
static int pump(int strand) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE, out[24] = {12, 0, 0, 0, 6, 0, 12, 0, 4, 0, 0, 0, 8};
  uint64_t arguments[64], result;
  uint32_t count = *(uint32_t *)(box + MESSAGE + CALLBACK_COUNT), node;
  if (!is_new(strand) || box[HEADER_TAG] != KIND_CALLBACK) return 0;
  posts[strand]++;
  node = *(uint32_t *)(box + MESSAGE + CALLBACK_NUMBER) >> 24;
  if (box[HEADER_TAG + 1] != node) check(0, "whose callback it is");
  /* the host says whose it is just after it has posted it */
  for (volatile uint32_t *bits = word(THREAD_OFFSET + node * THREAD_SIZE + THREAD_POSTED); !(*bits >> strand & 1);) Sleep(0);
  InterlockedAnd((volatile LONG *)word(THREAD_OFFSET + node * THREAD_SIZE + THREAD_POSTED), ~(1L << strand));
  memcpy(arguments, box + MESSAGE + CALLBACK_ARGUMENTS, 8 * count);
  result = on_callback(strand, *(uint32_t *)(box + MESSAGE + CALLBACK_NUMBER), arguments, count);
  memcpy(out + RETURN_RESULT, &result, 8);
  post(strand, KIND_RETURN, out, 24);
  return 1;
}

static int pump_all(void) {
  int any = 0;
  for (int i = 0; i < STRANDS; i++) any |= pump(i);
  return any;
}

/* Says that thread 0 sleeps. There is no bell that the host could open here, but it takes the word away all the same. */
static void nap(volatile uint32_t *number, uint32_t value) {
  volatile uint32_t *sleeps = word(THREAD_OFFSET + THREAD_SLEEPS);
  __atomic_exchange_n(sleeps, 1, __ATOMIC_SEQ_CST);
  for (int looks = 0; *number != value && *sleeps && served == 99; looks++) {
    for (int i = 0; i < STRANDS; i++)
      if (is_new(i)) return;
    Sleep(looks > 100);
  }
  if (*number == value) Sleep(0), naps++;
}

static void read_answer(const uint8_t *message, struct answer *answer) { memcpy(answer, message + REPLY_STATUS, 32); }

int wait_for(uint32_t number, struct answer *answer) {
  uint8_t *slot = segment + REPLY_OFFSET + (number - 1) % SLOTS * REPLY_SIZE;
  for (int looks = 0; *(volatile uint32_t *)slot != number; looks++) {
    if (served != 99) return 0;
    if (pump_all()) looks = 0;
    if (looks > 500) nap((volatile uint32_t *)(ULONG_PTR)slot, number), looks = 0;
  }
  read_answer(slot + REPLY_MESSAGE, answer);
  return 1;
}

static struct answer send(uint32_t kind, const void *message, uint32_t length) {
  struct answer answer = {.status = 77};
  uint32_t at = 0x700000;
  if (length > 240) memcpy(arena(at), message, length);
  wait_for(publish(kind, message, length, length > 240, length > 240 ? ARENA_OFFSET + at : 0), &answer);
  return answer;
}
struct answer call(uint32_t routine, uint32_t count, const uint64_t *arguments) {
  uint8_t out[48 + 8 * 256];
  return send(KIND_CALL, out, build_call(out, routine, count, arguments));
}
struct answer run_batch(const struct batch *batch) {
  uint8_t out[512];
  return send(KIND_BATCH, out, build_batch(out, batch));
}
struct answer control(uint8_t op) {
  uint8_t out[64];
  return send(KIND_CONTROL, out, build_control(out, op, ARENA_OFFSET + 0x600000, 4096));
}

uint32_t nested(int strand, uint32_t kind, const void *message, uint32_t length, struct answer *answer) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE;
  post(strand, kind, message, length);
  for (;;) {
    if (!is_new(strand) || pump(strand)) continue;
    posts[strand]++;
    if (box[HEADER_TAG] == KIND_REPLY) read_answer(box + MESSAGE, answer);
    return box[HEADER_TAG];
  }
}
struct answer nested_call(int strand, uint32_t routine, uint32_t count, const uint64_t *arguments) {
  uint8_t out[512];
  struct answer answer = {.status = 77};
  check(nested(strand, KIND_CALL, out, build_call(out, routine, count, arguments), &answer) == KIND_REPLY, "nested reply");
  return answer;
}

void node_stop(void) {
  struct answer answer = control(19);
  check(answer.status == 0 && answer.result == 16, "EXIT is answered");
  for (int i = 0; i < 2000 && served == 99; i++) Sleep(1);
  check(served == 0 && *word(WORD_HOST_STATE) == STATE_LEAVING, "EXIT ends the loop");
}
