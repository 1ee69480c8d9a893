/* How a row's values lie in their columns. */
#ifndef ZB_ROWS_H
#define ZB_ROWS_H
#include "internal.h"

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t zb_load_value(uint32_t kind, const uint8_t *at) {
  switch (kind) {
    case 'b': return (uint64_t)(int64_t) * (const int8_t *)at;
    case 'B':
    case 'c':
    case '?': return *at;
    case 'h': {
      int16_t v;
      memcpy(&v, at, 2);
      return (uint64_t)(int64_t)v;
    }
    case 'H':
    case 'u': {
      uint16_t v;
      memcpy(&v, at, 2);
      return v;
    }
    case 'i': {
      int32_t v;
      memcpy(&v, at, 4);
      return (uint64_t)(int64_t)v;
    }
    case 'I':
    case 'f': {
      uint32_t v;
      memcpy(&v, at, 4);
      return v;
    }
    case 'p': {
      ULONG_PTR v;
      memcpy(&v, at, sizeof v);
      return v;
    }
    case '&': return (ULONG_PTR)at;
    default: {
      uint64_t v;
      memcpy(&v, at, 8);
      return v;
    }
  }
}

INLINE void zb_store_value(uint32_t kind, uint8_t *at, uint64_t bits) {
  switch (kind) {
    case 'v': break;
    case '?': *at = (uint8_t)bits != 0; break;
    case 'b':
    case 'B':
    case 'c': *at = (uint8_t)bits; break;
    case 'h':
    case 'H':
    case 'u': memcpy(at, &bits, 2); break;
    case 'i':
    case 'I':
    case 'f': memcpy(at, &bits, 4); break;
    case 'p': memcpy(at, &bits, sizeof(void *)); break;
    default: memcpy(at, &bits, 8); break;
  }
}
#endif
