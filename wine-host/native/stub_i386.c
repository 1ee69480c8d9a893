/* The machine code of a callback stub:
 *     mov eax, index           B8 imm32         a register that no convention has an argument in
 *     jmp [block]              FF 25 abs32 */
#include "internal.h"
#include "call_i386.h"

void zb_write_stub(uint8_t *at, uint32_t index, const uint8_t *block) {
  at[0] = 0xB8;
  memcpy(at + 1, &index, 4);
  at[5] = 0xFF, at[6] = 0x25;
  memcpy(at + 7, &block, 4);
}

uint64_t zb_frame_argument(const struct zb_frame *frame, const struct zb_layout *layout, uint32_t index) {
  const struct zb_place *place = &layout->places[index];
  const uint32_t *at = place->word < 2 ? &frame->registers[place->word] : frame->stack + place->word - 2;
  if (place->kind == '{') return (ULONG_PTR)at; /* a structure is given by its address */
  return place->size == 8 ? *(const uint64_t *)at : *at;
}

/* Notes what the end of the callback needs before it runs: the stub may be another callback's when Node answers. */
void zb_callback_from_stub(uint32_t index, const struct zb_frame *frame, struct zb_called *called) {
  const struct zb_stub *stub = zb_stub_at(index);
  called->taken = stub->layout->taken;
  called->x87 = zb_x87_result(stub->result_kind);
  called->result = zb_callback_enter(index, frame);
}
