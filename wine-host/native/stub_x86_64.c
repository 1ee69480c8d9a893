/* The machine code of callback stubs, 16 bytes each:
 *     mov r10d, index          41 BA imm32
 *     jmp [rip + to_block]     FF 25 rel32      the first 8 bytes of the block hold zb_callback_common
 * A stub touches neither stack nor kept registers and ends in a jump: it is a leaf function of "x64 exception handling"
 * (Microsoft), which needs no entry in a function table; what is ever on the stack is zb_callback_common's frame.
 * A block is written once, whole, and executable only after: no page is ever writable and executable at a time. */
#include "internal.h"

enum { STUB = 16 };

uint32_t zb_stubs_in_block(void) { return ZB_STUB_BLOCK / STUB - 1; }

uint8_t *zb_stub_address(uint8_t *block, uint32_t within) { return block + STUB * (within + 1); }

int zb_write_stubs(uint8_t *block, uint32_t first) {
  uint64_t common = (uint64_t)(ULONG_PTR)&zb_callback_common;
  DWORD before;
  memcpy(block, &common, 8);
  for (uint32_t i = 0; i < zb_stubs_in_block(); i++) {
    uint8_t *at = zb_stub_address(block, i);
    uint32_t index = first + i;
    int32_t to_block = -(int32_t)(at + 12 - block); /* counted from the end of the jump */
    at[0] = 0x41, at[1] = 0xBA;
    memcpy(at + 2, &index, 4);
    at[6] = 0xFF, at[7] = 0x25;
    memcpy(at + 8, &to_block, 4);
    memset(at + 12, 0xCC, 4);
  }
  if (!VirtualProtect(block, ZB_STUB_BLOCK, PAGE_EXECUTE_READ, &before)) return 0;
  FlushInstructionCache(GetCurrentProcess(), block, ZB_STUB_BLOCK);
  return 1;
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
