/* The main loop: takes requests in order, carries them out, replies. It enters Python for Control messages only. */
#include "internal.h"

ZB_API void zb_stop(void) {
  DWORD written;
  uint8_t byte = 1;
  InterlockedExchange(&zb.stopping, 1);
  WriteFile(zb.strands[0], &byte, 1, &written, NULL); /* fails where the handle is for reading only: see bridge.h */
}

/* The head says that a request is there: its slot was written before, and is seen a moment later at most. */
static int arrived(const uint8_t *slot, uint32_t number) {
  ULONGLONG start = 0;
  for (uint32_t looks = 0; zb_load((const volatile uint32_t *)slot) != number; looks++) {
    if (looks < 10000) {
      __builtin_ia32_pause();
      continue;
    }
    if (!start) start = GetTickCount64();
    if (GetTickCount64() - start > 1000) return 0;
    Sleep(1);
  }
  return 1;
}

static void publish(struct zb_thread *thread, uint32_t number, const struct zb_reply *reply) {
  uint8_t *slot = zb.segment + REPLY_OFFSET + (number - 1) % SLOTS * REPLY_SIZE;
  zb_put_reply(thread, reply, slot + 8);
  zb_store((volatile uint32_t *)(slot + 4), REPLY_MESSAGE_SIZE);
  zb_store((volatile uint32_t *)slot, number); /* payload, then number, then head: x86 shows them in this order */
  zb_store(zb_word(WORD_REPLY_HEAD), number);
}

static void handle(struct zb_thread *thread, const uint8_t *slot, uint32_t number) {
  struct zb_message message;
  struct zb_reply reply = {.status = STATUS_REFUSED, .code = REFUSED_MALFORMED};
  zb_store(zb_word(WORD_RUNNING), number);
  if (zb_take_message(slot, REQUEST_SIZE - MESSAGE, slot[8], &message)) {
    if (message.kind == KIND_CONTROL) {
      int32_t length = zb_control_message(thread, &message, NULL, 0);
      if (length > 0) reply.status = STATUS_DONE, reply.code = 0, reply.result = (uint32_t)length;
    } else {
      zb_execute(thread, &message, &reply);
    }
  }
  zb_store(zb_word(WORD_RUNNING), 0);
  publish(thread, number, &reply);
}

static int32_t loop(struct zb_thread *thread) {
  volatile uint32_t *head = zb_word(WORD_REQUEST_HEAD);
  uint32_t done = zb_load(zb_word(WORD_REPLY_HEAD)); /* Python may have served the first ones */
  for (;;) {
    uint32_t pending = zb_load(head) - done;
    const uint8_t *slot = zb.segment + REQUEST_OFFSET + done % SLOTS * REQUEST_SIZE;
    if (zb.stopping) return ZB_STOPPED;
    if (zb.corrupt || pending > SLOTS) return ZB_CORRUPT;
    if (!pending) {
      zb_wait(head, done, zb_word(WORD_HOST_SLEEPS), 0, 1);
      continue;
    }
    if (!arrived(slot, done + 1)) return ZB_CORRUPT;
    handle(thread, slot, ++done);
    /* Who was woken, was woken on our core: let it have it, unless there is work at once. */
    if (zb_ring_node() && zb_load(head) == done && !zb.leaving) Sleep(0);
    if (zb.leaving) return zb.corrupt ? ZB_CORRUPT : ZB_OK;
  }
}

ZB_API int32_t zb_serve(void) {
  struct zb_thread *thread;
  int32_t result;
  if (!zb.segment) return ZB_BAD_CONTEXT;
  thread = VirtualAlloc(NULL, sizeof *thread, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (!thread) return ZB_NO_MEMORY;
  zb_attach(thread, 0);
  zb_store(zb_word(WORD_HOST_STATE), STATE_SERVING);
  result = loop(thread);
  if (result != ZB_STOPPED) {
    InterlockedExchange(&zb.leaving, 1);
    zb_store(zb_word(WORD_HOST_STATE), STATE_LEAVING);
  }
  zb_detach();
  VirtualFree(thread, 0, MEM_RELEASE);
  InterlockedExchange(&zb.stopping, 0);
  return result;
}
