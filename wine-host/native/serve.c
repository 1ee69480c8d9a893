/* The main loop: takes requests in order, carries them out, replies. It enters Python for Control messages only. */
#include "internal.h"

/* Writes the payload and then the number; x86 keeps that order. */
static void publish(struct zb_thread *thread, uint32_t caller, uint32_t number, const struct zb_reply *reply) {
  uint8_t *slot = zb.segment + REPLY_OFFSET + caller * REPLIES_SIZE + (number - 1) % SLOTS * REPLY_SIZE;
  zb_put_reply(thread, reply, slot + 8);
  zb_store((volatile uint32_t *)(slot + 4), REPLY_MESSAGE_SIZE);
  zb_store((volatile uint32_t *)slot, number);
}

/* Carries out one request. Its header is read once, for a DLL could change it meanwhile. 0 if its thread's number is
 * impossible. */
static int handle(struct zb_thread *thread, const uint8_t *slot, uint32_t done) {
  struct zb_message message;
  struct zb_reply reply = ZB_MALFORMED;
  uint32_t tag = zb_u32(slot + HEADER_TAG), caller = tag >> 8 & 0xFF, number = zb_u32(slot + HEADER_REPLY);
  if (caller >= THREADS) return 0;
  zb_store(zb_word(WORD_RUNNING), number);
  zb_store(zb_word(WORD_RUNNING_THREAD), caller);
  if (zb_take_message(slot, REQUEST_SIZE - MESSAGE, tag, &message)) {
    if (message.kind == KIND_CONTROL) {
      int32_t length = zb_control_message(thread, &message, NULL, 0);
      if (length > 0) reply.status = STATUS_DONE, reply.code = 0, reply.result = (uint32_t)length;
    } else {
      zb_execute(thread, &message, &reply);
    }
  }
  zb_store(zb_word(WORD_RUNNING_THREAD), ~0u);
  zb_store(zb_word(WORD_DONE), done); /* the slot may be used again */
  publish(thread, caller, number, &reply);
  /* Linux wakes the thread on this core: let it run, unless the next request is there already. */
  if (zb_ring(caller) &&
      zb_load((const volatile uint32_t *)(zb.segment + REQUEST_OFFSET + done % SLOTS * REQUEST_SIZE)) != done + 1 && !zb.leaving)
    Sleep(0);
  return 1;
}

static int32_t loop(struct zb_thread *thread) {
  uint32_t done = zb_load(zb_word(WORD_DONE)); /* where Node begins to count */
  for (;;) {
    const uint8_t *slot = zb.segment + REQUEST_OFFSET + done % SLOTS * REQUEST_SIZE;
    volatile uint32_t *number = (volatile uint32_t *)(ULONG_PTR)slot;
    uint32_t seen;
    while ((seen = zb_load(number)) != done + 1) {
      if (zb.corrupt) return ZB_CORRUPT;
      zb_store(zb_word(WORD_DONE), done); /* written again, for somebody may have overwritten it */
      zb_wait(thread, number, seen, zb_word(WORD_HOST_SLEEPS));
    }
    if (!handle(thread, slot, ++done) || zb.corrupt) return ZB_CORRUPT;
    if (zb.leaving) return ZB_OK;
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
  zb_store(zb_word(WORD_RUNNING_THREAD), ~0u);
  result = loop(thread);
  InterlockedExchange(&zb.leaving, 1);
  zb_store(zb_word(WORD_HOST_STATE), STATE_LEAVING);
  zb_detach();
  VirtualFree(thread, 0, MEM_RELEASE);
  return result;
}
