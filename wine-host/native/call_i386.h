/* What call_i386.S and the C files share. The assembly uses the offsets. */
#ifndef ZB_CALL_I386_H
#define ZB_CALL_I386_H

/* Bytes above the arguments: a routine may change its arguments where they lie, and one that expects more than it was
 * given changes what lies above them. */
#define SLACK 128

#define RAW_ADDRESS 0
#define RAW_STACK 4
#define RAW_X87 8
#define RAW_TAKEN 12
#define RAW_RESULT 16
#define RAW_REGISTERS 24

#define X87_NONE 0
#define X87_FLOAT 1
#define X87_DOUBLE 2

#define CALLED_RESULT 0
#define CALLED_TAKEN 8
#define CALLED_X87 12

#ifndef __ASSEMBLER__
#include "internal.h"

/* Whether a result of this kind is returned in st0, and how wide. */
static inline uint32_t zb_x87_result(uint32_t kind) { return kind == 'f' ? X87_FLOAT : kind == 'd' ? X87_DOUBLE : X87_NONE; }

struct zb_raw {
  uint32_t address;
  uint32_t stack; /* bytes of arguments */
  uint32_t x87;   /* zb_x87_result */
  uint32_t taken; /* out: bytes that the routine took off the stack, negative (as unsigned) where it left too many */
  uint64_t result;
  uint32_t registers[2]; /* ecx, edx */
  const struct zb_layout *layout;
  const uint64_t *arguments;
};
_Static_assert(offsetof(struct zb_raw, taken) == RAW_TAKEN && offsetof(struct zb_raw, result) == RAW_RESULT &&
                   offsetof(struct zb_raw, registers) == RAW_REGISTERS,
               "call_i386.S");

/* What a callback's stub is to do at its end. */
struct zb_called {
  uint64_t result;
  uint32_t taken;
  uint32_t x87;
};
_Static_assert(offsetof(struct zb_called, taken) == CALLED_TAKEN && offsetof(struct zb_called, x87) == CALLED_X87, "call_i386.S");

/* Where zb_callback_common found the arguments. */
struct zb_frame {
  const uint32_t *stack;
  uint32_t registers[2];
};

void zb_call_raw(struct zb_raw *raw);
void zb_place_arguments(struct zb_raw *raw, uint8_t *stack);
void zb_callback_from_stub(uint32_t index, const struct zb_frame *frame, struct zb_called *called);
/* Ends the routine with an exception: it took other bytes off the stack than declared. */
__attribute__((noreturn)) void zb_unbalanced(uint32_t taken, uint32_t declared);
/* Continues behind the call in zb_guarded, with the stack pointer of that frame. */
__attribute__((noreturn)) void zb_resume(void *frame);
#endif
#endif
