/* What the calling conventions of Windows have a routine leave as it found it ("x64 calling convention", "Register usage"; on 32 bits
 * "Register Preservation" and the x87 stack): the direction flag clear, the modes of both floating-point units, the x87 stack empty. A
 * routine that does not would make later ones compute something else. */
#ifndef ZB_MODES_H
#define ZB_MODES_H
#include <stdint.h>

struct zb_modes {
  uint32_t mxcsr;
  uint16_t x87;
};

enum {
  MXCSR_MODES = 0xFFC0, /* without the flags of exceptions so far, which no convention preserves */
  X87_EXCEPTION = 0x80, /* an unmasked exception is pending: the next x87 instruction raises it */
  X87_TOP = 0x3800      /* the top of the x87 stack: 0 if it is empty, or full */
};

/* Compilers assume a clear direction flag: where it is set, memory is copied and cleared backwards. */
static inline void zb_clear_direction(void) { __asm__ volatile("cld" ::: "cc", "memory"); }

static inline uint32_t zb_mxcsr(void) {
  uint32_t value;
  __asm__ volatile("stmxcsr %0" : "=m"(value));
  return value;
}

/* Short enough to follow each row of a batch, where the whole of zb_settle_modes would cost more than the call. */
static inline void zb_settle_mxcsr(uint32_t kept) {
  if (__builtin_expect((zb_mxcsr() ^ kept) & MXCSR_MODES, 0)) __asm__ volatile("ldmxcsr %0" ::"m"(kept));
}

static inline uint16_t zb_x87(void) {
  uint16_t value;
  __asm__ volatile("fnstcw %0" : "=m"(value));
  return value;
}

/* Clears a pending x87 exception. */
static inline void zb_calm_x87(void) {
  uint16_t status;
  __asm__ volatile("fnstsw %0" : "=a"(status));
  if (__builtin_expect(status & X87_EXCEPTION, 0)) __asm__ volatile("fnclex");
}

/* Is there a value on the x87 stack, or an exception pending? What MMX leaves there is not seen. */
static inline int zb_x87_is_left(void) {
  uint16_t status;
  __asm__ volatile("fnstsw %0" : "=a"(status));
  return __builtin_expect(status & (X87_EXCEPTION | X87_TOP), 0);
}

static inline void zb_empty_x87(void) {
  zb_calm_x87();
  __asm__ volatile("emms");
}

static inline void zb_settle_x87(uint16_t kept) {
  zb_calm_x87();
  if (__builtin_expect(zb_x87() != kept, 0)) __asm__ volatile("fldcw %0" ::"m"(kept));
}

static inline void zb_keep_modes(struct zb_modes *kept) {
  kept->mxcsr = zb_mxcsr();
  kept->x87 = zb_x87();
}

/* After a call, however it ended. Writing modes takes longer than looking at them; emptying the x87 stack takes less than looking whether it is empty. */
static inline void zb_settle_modes(const struct zb_modes *kept) {
  zb_clear_direction();
  zb_settle_mxcsr(kept->mxcsr);
  zb_settle_x87(kept->x87);
  __asm__ volatile("emms");
}

/* Stores a word with an instruction that goes on in the direction of the flag, half the cost of clearing it each time, and gives where the
 * next one goes. */
static inline uint8_t *zb_store_word(volatile void *at, uint32_t word) {
  uint8_t *const next = (uint8_t *)at + 4;
  __asm__ volatile("stosl" : "+D"(at) : "a"(word) : "memory");
  if (__builtin_expect(at != next, 0)) zb_clear_direction();
  return next;
}
#endif
