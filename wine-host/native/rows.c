/* The loops over the rows of a batch. They begin at batch->row and write into batch->running at which row they are:
 * after a crash the caller notes that row and enters again behind it. Where the architecture has no loop for a shape,
 * `any` goes through zb_invoke. */
#include "modes.h"
#include "rows.h"

/* Loads the values of a row's columns. */
static void load_row(const struct zb_batch *batch, uint32_t row, uint64_t *values) {
  for (uint32_t c = 0; c < batch->count; c++)
    values[c] =
        zb_load_value((uint32_t)batch->columns[c].kind, batch->columns[c].pointer + row * (ptrdiff_t)batch->columns[c].stride);
}

/* A loop for any columns, and for batches that keep last errors. */
static void any(void *argument) {
  struct zb_batch *batch = argument;
  uint64_t *values = batch->arguments->values, result;
  const uint32_t mxcsr = zb_mxcsr();
  uint32_t row = batch->row;
  for (; row < batch->rows; row++) {
    *batch->running = row;
    load_row(batch, row, values);
    result = zb_invoke(batch->entry, values);
    zb_settle_mxcsr(mxcsr);
    if (batch->last_errors) batch->last_errors[row] = GetLastError();
    zb_store_value(batch->result_kind, batch->results + row * (size_t)batch->result_stride, result);
  }
  batch->row = row;
}

/* The same for a routine that leaves texts. After an exception at a text the row goes on with its other texts. */
static void with_texts(void *argument) {
  struct zb_batch *batch = argument;
  struct zb_texts *texts = batch->texts;
  uint64_t *values = batch->arguments->values;
  const uint32_t mxcsr = zb_mxcsr();
  uint32_t row = batch->row;
  for (; row < batch->rows && !texts->full; row++) {
    *batch->running = row;
    if (!texts->returned) {
      load_row(batch, row, values);
      texts->result = zb_invoke(batch->entry, values);
      zb_settle_mxcsr(mxcsr);
      if (batch->last_errors) batch->last_errors[row] = GetLastError();
      zb_store_value(batch->result_kind, batch->results + row * (size_t)batch->result_stride, texts->result);
      texts->returned = 1;
    }
    zb_take_texts(texts, row, values);
  }
  batch->row = row;
}

/* Of the loops without texts only `any` keeps last errors. */
zb_body zb_choose_rows(const struct zb_batch *batch) {
  zb_body special = batch->last_errors ? NULL : zb_special_rows(batch);
  return batch->texts ? with_texts : special ? special : any;
}
