/* A batch: one routine, one call for each row of its columns. */
#include "internal.h"

static const uint32_t head[] = BATCH_HEAD;
_Static_assert(sizeof head == BATCH_TEXTS, "the values follow at once");

struct failure {
  uint32_t row, code;
  uint64_t address;
};
_Static_assert(sizeof(struct failure) == ROW_FAILURE_SIZE, "schema/wire.fbs");

/* Whether `rows` values of `size` bytes, `stride` bytes apart (backwards, too), all lie in memory that may be used.
 * Addresses are the message's, and may exceed what 32 bits can hold. */
static int column_reachable(uint64_t first, int64_t stride, uint32_t rows, uint64_t size, int writable) {
  int64_t way;
  uint64_t last, length;
  if (!size || !rows) return 1;
  if (__builtin_mul_overflow(stride, (int64_t)rows - 1, &way)) return 0;
  last = first + (uint64_t)way;
  if (way < 0 ? last > first : last < first) return 0;
  length = way < 0 ? first - last : last - first;
  if (__builtin_add_overflow(length, size, &length)) return 0;
  return zb_reachable(way < 0 ? last : first, length, writable);
}

static int result_size(uint32_t kind) { return kind == 'v' ? 0 : zb_kind_size(kind); }

/* Reads columns and addresses; 0 if any of them is invalid. */
static int read_batch(struct zb_batch *batch, const uint8_t *bytes, uint32_t capacity) {
  for (uint32_t c = 0; c < batch->count; c++) {
    const uint8_t *at = bytes + BATCH_COLUMNS + BATCH_COLUMN_SIZE * c;
    struct zb_column *column = &batch->columns[c];
    column->pointer = (const uint8_t *)(ULONG_PTR)zb_u64(at);
    column->stride = (int64_t)zb_u64(at + 8);
    column->kind = zb_u64(at + 16);
    int size = zb_kind_size(column->kind);
    if (size < 0 || !column_reachable(zb_u64(at), column->stride, batch->rows, (uint64_t)size, 0)) return 0;
  }
  if (batch->results && !column_reachable(zb_u64(bytes + BATCH_RESULTS), (int64_t)batch->result_stride, batch->rows,
                                          (uint64_t)result_size(batch->result_kind), 1))
    return 0;
  if (batch->last_errors && !zb_reachable(zb_u64(bytes + BATCH_LAST_ERRORS_AT), 4ull * batch->rows, 1)) return 0;
  return !capacity || zb_reachable(zb_u64(bytes + BATCH_ERRORS), (uint64_t)ROW_FAILURE_SIZE * capacity, 1);
}

/* Whether the places to write to are still there: the crash may have been our own store, into memory that a routine
 * freed. */
static int still_there(const struct zb_batch *batch, uint32_t row, const struct failure *failure) {
  return zb_reachable((uint64_t)(ULONG_PTR)failure, sizeof *failure, 1) &&
         zb_reachable((uint64_t)(ULONG_PTR)batch->results + row * batch->result_stride, (uint64_t)result_size(batch->result_kind),
                      1) &&
         (!batch->last_errors || zb_reachable((uint64_t)(ULONG_PTR)&batch->last_errors[row], 4, 1));
}

/* Runs all rows. A crash ends the loop; the next loop begins behind its row. */
static uint32_t run(struct zb_thread *thread, struct zb_batch *batch, struct zb_kept kept, zb_body body, struct failure *failures,
                    uint32_t capacity) {
  struct zb_guard guard;
  uint32_t failed = 0;
  zb_swap_in(thread, kept);
  batch->row = 0;
  while (batch->row < batch->rows) {
    uint32_t row;
    *batch->running = batch->row;
    if (!zb_protect(thread, body, batch, &guard)) break;
    row = *batch->running;
    if (row < batch->row || row >= batch->rows) break; /* the word was overwritten: which rows were carried out is not known */
    batch->row = row;
    SetLastError(guard.system_error);
    if (batch->texts && zb_pass_text(batch->texts, row)) continue;
    if (failed == capacity) break; /* no room to report it: the row counts as not carried out */
    if (!still_there(batch, row, &failures[failed])) break;
    failures[failed].row = row;
    failures[failed].code = guard.code;
    failures[failed].address = guard.address;
    failed++;
    if (batch->last_errors) batch->last_errors[row] = guard.system_error;
    memset(batch->results + row * batch->result_stride, 0, (size_t)result_size(batch->result_kind));
    batch->row = row + 1;
    if (failed == capacity) break;
  }
  zb_swap_out(thread, kept, GetLastError());
  return failed;
}

static void batch_into(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply, struct zb_batch *batch) {
  const uint8_t *bytes = message->bytes;
  const struct zb_text_list *list;
  struct failure *failures;
  struct zb_entry *entry;
  struct zb_kept kept;
  uint32_t capacity;
  if (message->length < BATCH_COLUMNS || memcmp(bytes, head, sizeof head)) return;
  batch->count = zb_u32(bytes + BATCH_COUNT);
  if (batch->count > ZB_MAX_ARGUMENTS || batch->count > (message->length - BATCH_COLUMNS) / BATCH_COLUMN_SIZE) return;
  entry = zb_find_routine(zb_u32(bytes + BATCH_ROUTINE));
  if (!zb_usable(entry, batch->count, reply)) return;
  kept = entry->kept;
  batch->entry = entry;
  batch->rows = zb_u32(bytes + BATCH_ROWS);
  batch->results = (uint8_t *)(ULONG_PTR)zb_u64(bytes + BATCH_RESULTS);
  batch->result_stride = zb_u32(bytes + BATCH_RESULT_STRIDE);
  batch->result_kind = zb_u32(bytes + BATCH_RESULT_KIND);
  if (!batch->results) batch->result_kind = 'v';
  else if (batch->result_kind != entry->result_kind) return;
  if (zb_u32(bytes + BATCH_FLAGS) & BATCH_LAST_ERRORS) {
    batch->last_errors = (uint32_t *)(ULONG_PTR)zb_u64(bytes + BATCH_LAST_ERRORS_AT);
    kept.flags |= ROUTINE_LAST_ERROR; /* what is stored per row is what use_last_error would keep */
  }
  failures = (struct failure *)(ULONG_PTR)zb_u64(bytes + BATCH_ERRORS);
  capacity = failures ? zb_u32(bytes + BATCH_ERROR_CAPACITY) : 0;
  if (!read_batch(batch, bytes, capacity)) return;
  if ((list = entry->texts)) {
    int begun = zb_begin_texts(batch->texts, list, batch->rows, zb_u64(bytes + BATCH_TEXTS), zb_u32(bytes + BATCH_TEXT_ROOM));
    if (begun < 0) reply->code = REFUSED_OUT_OF_MEMORY;
    if (begun <= 0) return;
  } else {
    batch->texts = NULL;
  }
  for (int i = 0; i < 4; i++) batch->arguments->values[i] = 0;
  batch->running = zb_running_row(thread);
  uint32_t failed = run(thread, batch, kept, zb_choose_rows(batch), failures, capacity);
  if (list && batch->texts->full) {
    zb_drop_texts(batch->texts);
    reply->code = REFUSED_OUT_OF_MEMORY;
    return;
  }
  if (list) reply->texts = zb_end_texts(batch->texts);
  reply->status = STATUS_DONE;
  reply->code = failed;
  reply->result = batch->row;
}

void zb_batch(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply) {
  struct zb_arguments arguments;
  struct zb_texts texts;
  struct zb_batch batch;
  batch.arguments = &arguments;
  batch.texts = &texts;
  batch.last_errors = NULL;
  batch_into(thread, message, reply, &batch);
}
