/* A call on i386. The stack pointer tells afterwards whether the routine and its declaration agree on who takes the arguments away,
 * and how much of them there is. */
#include "internal.h"
#include "call_i386.h"

/* Called by zb_call_raw when the place for the arguments is there. */
void zb_place_arguments(struct zb_raw *raw, uint8_t *stack) {
  const struct zb_layout *layout = raw->layout;
  for (uint32_t i = 0; i < layout->count; i++) {
    const struct zb_place *place = &layout->places[i];
    uint8_t *at = place->word < 2 ? (uint8_t *)&raw->registers[place->word] : stack + 4 * (place->word - 2);
    if (place->kind == '{') memcpy(at, (const void *)(ULONG_PTR)raw->arguments[i], place->size);
    else memcpy(at, &raw->arguments[i], 4);
    if (place->size == 8 && place->kind != '{') memcpy(at + 4, (const uint8_t *)&raw->arguments[i] + 4, 4);
  }
}

void zb_unbalanced(uint32_t taken, uint32_t declared) {
  ULONG_PTR bytes[2] = {taken, declared};
  RaiseException(EXCEPTION_UNBALANCED, EXCEPTION_NONCONTINUABLE, 2, bytes);
  __builtin_unreachable();
}

uint64_t zb_invoke(const struct zb_entry *entry, const uint64_t *arguments) {
  struct zb_raw raw; /* filled one by one: to clear it first takes longer than all else here */
  raw.address = (uint32_t)entry->address;
  raw.stack = entry->layout->stack;
  raw.x87 = zb_x87_result(entry->result_kind);
  raw.layout = entry->layout;
  raw.arguments = arguments;
  zb_call_raw(&raw);
  if (raw.taken != entry->layout->taken) zb_unbalanced(raw.taken, entry->layout->taken);
  return raw.result;
}
