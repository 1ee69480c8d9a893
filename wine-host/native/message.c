/* Messages: where they lie, their kinds, and their answers (docs/wire.md). A DLL can write over a message, so each
 * number is read once, and checked before it is used. */
#include "internal.h"

/* Finds the message of a slot or mailbox half. */
int zb_take_message(const uint8_t *slot, uint32_t room, uint32_t tag, struct zb_message *message) {
  uint32_t length = zb_u32(slot + HEADER_LENGTH), offset = zb_u32(slot + MESSAGE);
  message->kind = tag & 0xFF;
  message->length = length;
  message->bytes = slot + MESSAGE;
  if (!(tag >> 16 & MESSAGE_IN_ARENA)) return length <= room;
  if (offset < ARENA_OFFSET || (offset & 3) || offset > zb.segment_size || length > zb.segment_size - offset) return 0;
  message->bytes = zb.segment + offset;
  return 1;
}

/* Carries out a Call or a Batch; other kinds are handled by the caller. `reply` is ZB_MALFORMED until something else
 * is known. */
void zb_execute(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply) {
  if (message->kind == KIND_CALL) zb_call(thread, message, reply);
  else if (message->kind == KIND_BATCH) zb_batch(thread, message, reply);
}

/* A Reply with its constant head. */
void zb_put_reply(struct zb_thread *thread, const struct zb_reply *reply, uint8_t *out) {
  static const uint32_t head[] = REPLY_HEAD;
  _Static_assert(sizeof head == REPLY_STATUS, "the values follow at once");
  memcpy(out, head, sizeof head);
  memcpy(out + REPLY_STATUS, &reply->status, 4);
  memcpy(out + REPLY_CODE, &reply->code, 4);
  memcpy(out + REPLY_LAST_ERROR, &thread->last_error, 4);
  memcpy(out + REPLY_ERRNO, &thread->errno_copy, 4);
  memcpy(out + REPLY_TEXTS, &reply->texts, 8);
  memcpy(out + REPLY_RESULT, &reply->result, 8);
}
