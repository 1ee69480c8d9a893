/* Kinds: the characters of src/ctypes/sink.ts. */
#include "internal.h"

/* Bytes that a value of the kind takes in a column; 0 for '&', which reads nothing; -1 for what is no kind. */
int zb_kind_size(uint64_t kind) {
  switch (kind) {
    case 'b':
    case 'B':
    case 'c':
    case '?': return 1;
    case 'h':
    case 'H':
    case 'u': return 2;
    case 'i':
    case 'I':
    case 'f': return 4;
    case 'q':
    case 'Q':
    case 'd': return 8;
    case 'p': return sizeof(void *);
    case '&': return 0;
    default: return -1;
  }
}

/* Extends a small value in a register as docs/wire.md says: by convention the bits above it are undefined ("x64
 * calling convention"). */
uint64_t zb_extend(uint32_t kind, uint64_t bits) {
  switch (kind) {
    case 'b': return (uint64_t)(int64_t)(int8_t)bits;
    case 'B':
    case 'c': return (uint8_t)bits;
    case '?': return (uint8_t)bits != 0;
    case 'h': return (uint64_t)(int64_t)(int16_t)bits;
    case 'H':
    case 'u': return (uint16_t)bits;
    case 'i': return (uint64_t)(int64_t)(int32_t)bits;
    case 'I':
    case 'f': return (uint32_t)bits;
    case 'p': return (ULONG_PTR)bits;
    case 'v': return 0;
    default: return bits;
  }
}
