/* One call. */
#include "internal.h"

static const uint32_t head[] = CALL_HEAD;
_Static_assert(sizeof head == CALL_TEXTS, "the values follow at once");

struct single {
  const struct zb_entry *entry;
  uint64_t result;
  struct zb_texts *texts;
  struct zb_arguments arguments;
};

static void single(void *argument) {
  struct single *call = argument;
  call->result = zb_invoke(call->entry, call->arguments.values);
}

static void with_texts(void *argument) {
  struct single *call = argument;
  if (!call->texts->returned) {
    call->result = call->texts->result = zb_invoke(call->entry, call->arguments.values);
    call->texts->returned = 1;
  }
  zb_take_texts(call->texts, 0, call->arguments.values);
}

/* Around every run of a routine: it finds its own last error, not the one of the bridge's waiting. If its declaration
 * asks for that, the private copies take the place of the real values, as with use_last_error and use_errno of
 * ctypes. */
static void swap_errno(struct zb_thread *thread, struct zb_kept kept) {
  if (!kept.errno_location) return;
  int *place = kept.errno_location(), other = *place;
  *place = thread->errno_copy;
  thread->errno_copy = other;
}

void zb_swap_in(struct zb_thread *thread, struct zb_kept kept) {
  swap_errno(thread, kept);
  SetLastError(kept.flags & ROUTINE_LAST_ERROR ? thread->last_error : thread->system_error);
}

void zb_swap_out(struct zb_thread *thread, struct zb_kept kept, uint32_t system_error) {
  if (kept.flags & ROUTINE_LAST_ERROR) thread->last_error = system_error;
  else thread->system_error = system_error;
  swap_errno(thread, kept);
}

void zb_call(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply) {
  struct zb_guard guard;
  struct single call;
  const struct zb_text_list *list;
  struct zb_texts texts;
  struct zb_entry *entry;
  struct zb_kept kept;
  uint32_t count;
  if (message->length < CALL_ARGUMENTS || memcmp(message->bytes, head, sizeof head) || zb_u32(message->bytes + 40)) return;
  count = zb_u32(message->bytes + CALL_COUNT);
  if (count > ZB_MAX_ARGUMENTS || count > (message->length - CALL_ARGUMENTS) / 8) return;
  entry = zb_find_routine(zb_u32(message->bytes + CALL_ROUTINE));
  if (!zb_usable(entry, count, reply)) return;
  memcpy(call.arguments.values, message->bytes + CALL_ARGUMENTS, 8 * count);
  for (uint32_t i = count; i < 4; i++) call.arguments.values[i] = 0; /* call_x86_64.S always loads four */
  call.entry = entry;
  kept = entry->kept;
  uint32_t result_kind = entry->result_kind;
  list = entry->texts;
  call.texts = list ? &texts : NULL;
  if (list) {
    int begun = zb_begin_texts(&texts, list, 1, zb_u64(message->bytes + CALL_TEXTS), zb_u32(message->bytes + CALL_TEXT_ROOM));
    if (begun < 0) reply->code = REFUSED_OUT_OF_MEMORY;
    if (begun <= 0) return;
  }
  zb_swap_in(thread, kept);
  while (zb_protect(thread, list ? with_texts : single, &call, &guard)) {
    if (list && zb_pass_text(&texts, 0)) {
      SetLastError(guard.system_error);
      continue;
    }
    if (list) zb_drop_texts(&texts);
    zb_swap_out(thread, kept, guard.system_error);
    reply->status = STATUS_EXCEPTION;
    reply->code = guard.code;
    reply->result = guard.address;
    return;
  }
  zb_swap_out(thread, kept, GetLastError());
  if (list && texts.full) {
    zb_drop_texts(&texts);
    reply->code = REFUSED_OUT_OF_MEMORY;
    return;
  }
  if (list) reply->texts = zb_end_texts(&texts);
  reply->status = STATUS_DONE;
  reply->code = 0;
  reply->result = zb_extend(result_kind, call.result);
}
