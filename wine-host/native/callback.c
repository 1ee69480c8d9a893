/* Callbacks: a routine calls a thunk, and the thread that it runs on talks to Node until Node says what the callback
 * returned (docs/wire.md, "Strand mailbox"). */
#include "internal.h"

static volatile LONG busy = 1; /* strands in use, a bit each; bit 0 is the main loop's */
static HANDLE given_back;      /* an event: a strand became free */
static volatile LONG returns;  /* how often a strand has become free */

/* Milliseconds that a thread waits for a free strand. Without a limit it could wait for ever: the threads that have
 * the strands may wait for this one. */
enum { PATIENCE = 10000 };

/* A free strand; -1 if none becomes free in time. */
static int32_t claim_strand(void) {
  ULONGLONG since = GetTickCount64();
  LONG seen = returns;
  for (;;) {
    LONG now = busy;
    if (now == -1) { /* the wait has a time limit, for another thread may consume the event first */
      if (returns != seen) seen = returns, since = GetTickCount64();
      if (zb_ends() || GetTickCount64() - since > PATIENCE) return -1;
      if (!given_back) {
        HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
        if (event && InterlockedCompareExchangePointer(&given_back, event, NULL)) CloseHandle(event);
      }
      if (!given_back || busy == now) WaitForSingleObject(given_back, 10);
      continue;
    }
    int strand = __builtin_ctz(~(unsigned)now);
    if (InterlockedCompareExchange(&busy, now | 1L << strand, now) == now) return strand;
  }
}

static void give_back(int32_t strand) {
  InterlockedAnd(&busy, ~(1L << strand));
  InterlockedIncrement(&returns);
  if (given_back) SetEvent(given_back);
}

/* Posts what lies in the mailbox, `length` bytes behind its header, to a thread of Node's. */
static void post(int32_t strand, uint32_t node, uint32_t kind, uint32_t length) {
  uint8_t *box = zb.segment + STRAND_OFFSET + strand * STRAND_SIZE;
  *(volatile uint32_t *)(box + HEADER_LENGTH) = length;
  *(volatile uint32_t *)(box + HEADER_TAG) = kind | node << 8;
  zb_store((volatile uint32_t *)box, ++zb.posted[strand]);
  __atomic_fetch_or(zb_thread_word(node, THREAD_POSTED), 1u << strand, __ATOMIC_SEQ_CST);
  if (zb_ring(node)) Sleep(0);
}

static void post_callback(int32_t strand, uint32_t node, const struct zb_stub *stub, const struct zb_frame *frame) {
  static const uint32_t head[] = CALLBACK_HEAD;
  uint8_t *out = zb.segment + STRAND_OFFSET + strand * STRAND_SIZE + MESSAGE;
  const struct zb_layout *layout = stub->layout;
  uint32_t values[5] = {stub->number, GetCurrentThreadId(), 8, 0, layout->count};
  _Static_assert(sizeof head == CALLBACK_NUMBER, "the values follow at once");
  memcpy(out, head, sizeof head);
  memcpy(out + CALLBACK_NUMBER, values, sizeof values);
  for (uint32_t i = 0; i < layout->count; i++) {
    uint64_t bits = zb_extend(layout->places[i].kind, zb_frame_argument(frame, layout, i));
    memcpy(out + CALLBACK_ARGUMENTS + 8 * i, &bits, 8);
  }
  post(strand, node, KIND_CALLBACK, CALLBACK_ARGUMENTS + 8 * layout->count);
}

/* Waits for Node's next message; 0 if its number is impossible. */
static int next_message(struct zb_thread *thread, struct zb_message *message) {
  int32_t strand = thread->strand;
  const uint8_t *box = zb.segment + STRAND_OFFSET + strand * STRAND_SIZE + STRAND_TO_HOST;
  volatile uint32_t *head = (volatile uint32_t *)(ULONG_PTR)box;
  uint32_t seen = zb.taken[strand];
  while (zb_load(head) == seen) zb_wait(thread, head, seen, zb_word(WORD_STRAND_SLEEPS + 4 * (uint32_t)strand));
  if (zb_load(head) != seen + 1) return 0; /* both sides post in turns, one message each */
  zb.taken[strand] = seen + 1;
  if (!zb_take_message(box, MAILBOX_ROOM, zb_u32(box + HEADER_TAG), message)) message->kind = 0;
  return 1;
}

static int is_return(const struct zb_message *message, uint64_t *result) {
  static const uint32_t head[] = RETURN_HEAD;
  if (message->kind != KIND_RETURN || message->length < RETURN_SIZE || memcmp(message->bytes, head, sizeof head)) return 0;
  *result = zb_u64(message->bytes + RETURN_RESULT);
  return 1;
}

/* Something that Node wants done on this thread while the callback is open. */
static void nested(struct zb_thread *thread, uint32_t node, const struct zb_message *message) {
  uint8_t *out = zb.segment + STRAND_OFFSET + thread->strand * STRAND_SIZE + MESSAGE;
  struct zb_reply reply = ZB_MALFORMED;
  if (message->kind == KIND_CONTROL) {
    /* not written into the mailbox directly: the operation may run code that calls back, and posts there */
    uint8_t outcome[MAILBOX_ROOM];
    int32_t length = zb_control_message(thread, message, outcome, sizeof outcome);
    if (length > 0) {
      memcpy(out, outcome, (size_t)length);
      post(thread->strand, node, KIND_OUTCOME, (uint32_t)length);
      return;
    }
  } else {
    volatile uint32_t *running = zb_running_row(thread);
    uint32_t row = zb_load(running);
    zb_execute(thread, message, &reply);
    zb_store(running, row); /* the batch around us is still at its row */
  }
  zb_put_reply(thread, &reply, out);
  post(thread->strand, node, KIND_REPLY, REPLY_MESSAGE_SIZE);
}

/* The thread of Node's that a callback is for; if that has ended, the one that started the session. The callback is
 * counted first and THREAD_GONE read after it: Node sets that first and reads the count after it, so one of the two
 * sees the other. */
static uint32_t owner_of(uint32_t number) {
  uint32_t node = number >> 24;
  __atomic_fetch_add(zb_thread_word(node, THREAD_OPEN), 1, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(zb_thread_word(node, THREAD_GONE), __ATOMIC_SEQ_CST)) return node;
  __atomic_fetch_sub(zb_thread_word(node, THREAD_OPEN), 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_add(zb_thread_word(CALLER_THREAD, THREAD_OPEN), 1, __ATOMIC_SEQ_CST);
  return CALLER_THREAD;
}

static uint64_t converse(struct zb_thread *thread, const struct zb_stub *stub, const struct zb_frame *frame) {
  struct zb_message message;
  uint64_t result = 0;
  uint32_t kind = stub->result_kind; /* read now: the stub may be another callback's when Node answers */
  uint32_t node = owner_of(stub->number);
  post_callback(thread->strand, node, stub, frame);
  for (;;) {
    if (!next_message(thread, &message)) {
      InterlockedExchange(&zb.corrupt, 1); /* the main loop ends the session when the routine returns */
      InterlockedExchange(&zb.leaving, 1);
      return 0;
    }
    if (is_return(&message, &result)) break;
    nested(thread, node, &message);
  }
  __atomic_fetch_sub(zb_thread_word(node, THREAD_OPEN), 1, __ATOMIC_SEQ_CST);
  return zb_extend(kind, result);
}

static void release(struct zb_thread *thread) {
  int32_t strand = thread->strand;
  zb_detach();
  HeapFree(GetProcessHeap(), 0, thread);
  give_back(strand);
}

uint64_t zb_callback_enter(uint32_t index, const struct zb_frame *frame) {
  uint32_t system_error = GetLastError(), outer, number;
  struct zb_stub *stub = zb_stub_at(index);
  struct zb_thread *thread, *fresh = NULL;
  uint64_t result;
  /* once the process has begun to end nobody answers: clean-up code of DLLs gets zero at once */
  if (!stub->live || zb_ends()) {
    if (!stub->live) zb_count_disposed();
    return 0;
  }
  thread = zb_current();
  if (!zb_room_for_callback()) zb_refuse_callback(thread);
  if (!thread) {
    fresh = HeapAlloc(GetProcessHeap(), 0, sizeof *fresh);
    if (!fresh) return 0;
    thread = fresh;
    number = stub->number;
    int32_t strand = claim_strand();
    if (strand < 0) {
      HeapFree(GetProcessHeap(), 0, fresh);
      if (!zb_ends())
        zb_say("a thread of a DLL got zero from a callback: too many other threads have one open, and none has returned for 10 s");
      return 0;
    }
    zb_attach(thread, strand);
    /* it may have been freed, and be another's, while this thread waited for a strand */
    if (!stub->live || stub->number != number) {
      release(thread);
      return 0;
    }
  }
  /* nested calls start with the routine's own last error, which it finds again when the callback returns */
  outer = thread->system_error;
  thread->system_error = system_error;
  thread->depth++;
  result = converse(thread, stub, frame);
  thread->depth--;
  system_error = thread->system_error;
  thread->system_error = outer;
  if (fresh) release(fresh);
  SetLastError(system_error);
  return result;
}
