/* A call on x86-64: one convention, and every argument in both kinds of register (call_x86_64.S). */
#include "internal.h"

void zb_call_raw(uint64_t function, const uint64_t *arguments, uint64_t count, uint64_t result[2]);

uint64_t zb_invoke(const struct zb_entry *entry, const uint64_t *arguments) {
  uint64_t result[2];
  zb_call_raw(entry->address, arguments, entry->layout->count, result);
  return result[entry->result_kind == 'f' || entry->result_kind == 'd'];
}
