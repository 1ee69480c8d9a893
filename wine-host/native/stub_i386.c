/* The machine code of callback stubs, 16 bytes each:
 *     mov eax, index                 B8 imm32      a register that no convention has an argument in
 *     jmp zb_callback_common         E9 rel32
 * A block is written once, whole, and executable only after: no page is ever writable and executable at a time. */
#include "internal.h"
#include "call_i386.h"

enum { STUB = 16 };

uint32_t zb_stubs_in_block(void) { return ZB_STUB_BLOCK / STUB; }

uint8_t *zb_stub_address(uint8_t *block, uint32_t within) { return block + STUB * within; }

int zb_write_stubs(uint8_t *block, uint32_t first) {
  DWORD before;
  for (uint32_t i = 0; i < zb_stubs_in_block(); i++) {
    uint8_t *at = zb_stub_address(block, i);
    uint32_t index = first + i, way = (uint32_t)&zb_callback_common - (uint32_t)(at + 10); /* counted from the end of the jump */
    at[0] = 0xB8, at[5] = 0xE9;
    memcpy(at + 1, &index, 4);
    memcpy(at + 6, &way, 4);
    memset(at + 10, 0xCC, 6);
  }
  if (!VirtualProtect(block, ZB_STUB_BLOCK, PAGE_EXECUTE_READ, &before)) return 0;
  FlushInstructionCache(GetCurrentProcess(), block, ZB_STUB_BLOCK);
  return 1;
}

uint64_t zb_frame_argument(const struct zb_frame *frame, const struct zb_layout *layout, uint32_t index) {
  const struct zb_place *place = &layout->places[index];
  const uint32_t *at = place->word < 2 ? &frame->registers[place->word] : frame->stack + place->word - 2;
  if (place->kind == '{') return (ULONG_PTR)at; /* the structure lies there */
  return place->size == 8 ? *(const uint64_t *)at : *at;
}

/* What the stub's end needs is taken down first: the stub may be another's when Node answers at last. */
void zb_callback_from_stub(uint32_t index, const struct zb_frame *frame, struct zb_called *called) {
  const struct zb_stub *stub = zb_stub_at(index);
  called->taken = stub->layout->taken;
  called->x87 = stub->result_kind == 'f' ? X87_FLOAT : stub->result_kind == 'd' ? X87_DOUBLE : X87_NONE;
  called->result = zb_callback_enter(index, frame);
}
