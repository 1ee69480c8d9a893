/* The driver's Node: writes slots and mailboxes byte by byte as docs/wire.md has them. */
#include "node.h"
#include <stdlib.h>

uint8_t *segment;
uint64_t segment_size = 0x80000 + 0x800000;
handler on_callback;
int passed, failed;
void *text_room;
uint32_t text_room_size;
uint32_t sequence, rings; /* rings: of a host that slept */
volatile LONG served;
static HANDLE bell_read, bells[4];
static uint32_t posts[STRANDS], posted[STRANDS];

volatile uint32_t *word(uint32_t offset) { return (volatile uint32_t *)(segment + offset); }
uint8_t *arena(uint32_t offset) { return segment + ARENA_OFFSET + offset; }
void check(int good, const char *what) {
  if (good) {
    passed++;
    if (getenv("ZB_VERBOSE")) printf("ok: %s\n", what);
  }
  else failed++, printf("FAILED: %s\n", what);
  fflush(stdout);
}

static int32_t on_control(const uint8_t *message, uint32_t length, uint8_t *out, uint32_t capacity, int32_t strand) {
  static const uint8_t outcome[16] = {12, 0, 0, 0, 4, 0, 4, 0};
  uint8_t op = length >= 52 ? message[44] : 0;
  (void)strand;
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

void node_start(void) {
  struct zb_context context;
  static int first = 1;
  memset(&context, 0, sizeof context);
  /* far from everything else, so that a mutated address does not hit the driver's own memory */
  if (first) {
    void *away = (void *)(ULONG_PTR)(sizeof(void *) == 8 ? 0x222200000000 : 0x22220000);
    VirtualAlloc(away, 0x10000000, MEM_RESERVE, PAGE_NOACCESS);
    segment = VirtualAlloc(away, segment_size, MEM_COMMIT, PAGE_READWRITE);
    CreateThread(NULL, 0, watchdog, NULL, 0, NULL);
  }
  first = 0;
  memset(segment, 0, ARENA_OFFSET);
  memset(posts, 0, sizeof posts);
  memset(posted, 0, sizeof posted);
  sequence = 0;
  *word(WORD_MAGIC) = MAGIC;
  *word(WORD_VERSION) = WIRE_VERSION;
  context.size = sizeof context;
  context.wire_version = WIRE_VERSION;
  context.segment = segment;
  context.segment_size = segment_size;
  context.control = on_control;
  context.errno_location = _errno;
  CreatePipe(&bell_read, &context.node_doorbell, NULL, 0);
  for (int i = 0; i < STRANDS; i++) {
    context.strand_descriptors[i] = -1;
    if (i < 4) CreatePipe(&context.strand_doorbells[i], &bells[i], NULL, 0);
  }
  check(zb_init(&context) == ZB_OK, "init");
  served = 99;
  CloseHandle(CreateThread(NULL, 4 << 20, server, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL));
}

static void ring(int strand, uint32_t sleeps) {
  DWORD written;
  MemoryBarrier();
  if (*word(sleeps) && strand < 4) rings++, WriteFile(bells[strand], "!", 1, &written, NULL);
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

void head_only(uint32_t head) {
  __atomic_store_n(word(WORD_REQUEST_HEAD), head, __ATOMIC_SEQ_CST);
  ring(0, WORD_HOST_SLEEPS);
}

uint32_t publish(uint32_t kind, const void *message, uint32_t length, uint32_t flags, uint32_t offset) {
  uint8_t *slot = segment + REQUEST_OFFSET + sequence % SLOTS * REQUEST_SIZE;
  uint32_t head[4] = {++sequence, length, kind | flags << 16, offset};
  if (message) memcpy(slot + MESSAGE, message, length < 240 ? length : 240);
  memcpy(slot, head, 16);
  head_only(sequence);
  return sequence;
}

static int post(int strand, uint32_t kind, const void *message, uint32_t length) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE + STRAND_TO_HOST;
  uint32_t head[4] = {++posted[strand], length, kind, 0};
  memcpy(box + MESSAGE, message, length);
  memcpy(box, head, 16);
  __atomic_store_n(word(WORD_NODE_POSTS + 4 * strand), posted[strand], __ATOMIC_SEQ_CST);
  ring(strand, WORD_STRAND_SLEEPS + 4 * strand);
  return 0;
}

/* Handles a Callback if there is one. */
static int pump(int strand) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE, out[24] = {12, 0, 0, 0, 6, 0, 12, 0, 4, 0, 0, 0, 8};
  uint64_t arguments[64], result;
  uint32_t count = *(uint32_t *)(box + MESSAGE + CALLBACK_COUNT);
  if (*word(WORD_STRAND_POSTS + 4 * strand) != posts[strand] + 1 || box[8] != KIND_CALLBACK) return 0;
  if (*(uint32_t *)box != ++posts[strand]) check(0, "sequence of a post");
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

static void nap(volatile uint32_t *head, uint32_t value) {
  uint8_t bytes[64];
  DWORD count;
  __atomic_exchange_n(word(WORD_NODE_SLEEPS), 1, __ATOMIC_SEQ_CST);
  int work = *head == value || served != 99;
  for (int i = 0; i < STRANDS; i++) work |= *word(WORD_STRAND_POSTS + 4 * i) != posts[i];
  if (!work) ReadFile(bell_read, bytes, sizeof bytes, &count, NULL);
  *word(WORD_NODE_SLEEPS) = 0;
}

static void read_answer(const uint8_t *message, struct answer *answer) { memcpy(answer, message + REPLY_STATUS, 32); }

int wait_for(uint32_t number, struct answer *answer) {
  uint8_t *slot = segment + REPLY_OFFSET + (number - 1) % SLOTS * REPLY_SIZE;
  for (int looks = 0; (int32_t)(*word(WORD_REPLY_HEAD) - number) < 0; looks++) {
    if (served != 99) return 0;
    if (pump_all()) looks = 0;
    if (looks > 500) nap(word(WORD_REPLY_HEAD), number), looks = 0;
  }
  if (*(volatile uint32_t *)slot != number) return 0;
  read_answer(slot + 8, answer);
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
  return send(KIND_CONTROL, out, build_control(out, op, (ULONG_PTR)arena(0x600000), 4096));
}

uint32_t nested(int strand, uint32_t kind, const void *message, uint32_t length, struct answer *answer) {
  uint8_t *box = segment + STRAND_OFFSET + strand * STRAND_SIZE;
  post(strand, kind, message, length);
  for (;;) {
    if (*word(WORD_STRAND_POSTS + 4 * strand) == posts[strand]) continue;
    if (pump(strand)) continue;
    if (*(uint32_t *)box != ++posts[strand]) check(0, "sequence of a nested answer");
    if (box[8] == KIND_REPLY) read_answer(box + MESSAGE, answer);
    return box[8];
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
