/* The machine code of a callback stub:
 *     mov r10d, index          41 BA imm32
 *     jmp [rip + to_block]     FF 25 rel32
 * It touches neither stack nor kept registers and ends in a jump: it is a leaf function of "x64 exception handling" (Microsoft), which
 * needs no entry in a function table; what is ever on the stack is zb_callback_common's frame. */
#include "internal.h"

void zb_write_stub(uint8_t *at, uint32_t index, const uint8_t *block) {
  int32_t to_block = (int32_t)(block - (at + 12)); /* counted from the end of the jump */
  at[0] = 0x41, at[1] = 0xBA;
  memcpy(at + 2, &index, 4);
  at[6] = 0xFF, at[7] = 0x25;
  memcpy(at + 8, &to_block, 4);
}

struct zb_frame {
  uint64_t floats[4]; /* xmm0 to xmm3 */
  uint64_t unused, return_address;
  uint64_t arguments[]; /* rcx, rdx, r8 and r9, and what lies on the stack behind them */
};
_Static_assert(offsetof(struct zb_frame, arguments) == 48, "call_x86_64.S");

uint64_t zb_frame_argument(const struct zb_frame *frame, const struct zb_layout *layout, uint32_t index) {
  uint32_t kind = layout->places[index].kind;
  return index < 4 && (kind == 'f' || kind == 'd') ? frame->floats[index] : frame->arguments[index];
}
