/* Signatures, and how the arguments of one lie. On x86-64 the four registers decide by themselves (call_x86_64.S), and only kinds
 * count. On i386 everything lies on the stack in words of four bytes, but for two integers of fastcall and one of thiscall, as
 * Microsoft's compilers have it ("__fastcall", "__thiscall" of its C++ documentation): numbers of eight bytes, floats, structures and
 * the place of a structure result take no register. gcc gives some of those one; where the two differ, Windows is what Microsoft does. */
#include "internal.h"

enum { WORD_SIZE = 4, LARGEST = 1 << 24, MOST_STACK = 1 << 26 };

/* Reads the next kind of a signature; NULL if it is invalid. A structure by value, `{n}`, exists on 32-bit Windows
 * only. */
static const char *next_kind(const char *at, struct zb_place *place) {
  place->kind = (uint8_t)*at++;
  if (place->kind != '{') {
    int size = place->kind == '&' ? -1 : zb_kind_size(place->kind);
    place->size = size > WORD_SIZE ? 8 : WORD_SIZE;
    return size < 0 ? NULL : at;
  }
  if (sizeof(void *) == 8 || *at < '1' || *at > '9') return NULL;
  for (place->size = 0; *at >= '0' && *at <= '9'; at++)
    if ((place->size = place->size * 10 + (uint32_t)(*at - '0')) > LARGEST) return NULL;
  return *at == '}' ? at + 1 : NULL;
}

/* Gives `left` registers to the first arguments that fit into one, and stack to the others. */
static void place_all(struct zb_layout *layout, uint32_t left, int after_result) {
  uint32_t word = 0;
  for (uint32_t i = 0; i < layout->count; i++) {
    struct zb_place *place = &layout->places[i];
    if (left && place->size == WORD_SIZE && place->kind != 'f' && place->kind != '{' && !(after_result && i == 0)) {
      place->word = word++;
      left--;
      continue;
    }
    place->word = 2 + layout->stack / WORD_SIZE;
    layout->stack += (place->size + WORD_SIZE - 1) & ~(WORD_SIZE - 1u);
  }
}

struct zb_layout *zb_lay_out(const char *signature, uint32_t most, uint32_t convention, uint32_t flags, int32_t *why) {
  struct zb_layout *layout;
  struct zb_place place;
  uint32_t count = 0, floats = 0, doubles = 0;
  uint64_t stack = 0;
  *why = ZB_BAD_SIGNATURE;
  if (!signature || convention > CONVENTION_FASTCALL) return NULL;
  for (const char *at = signature; *at; count++) {
    if (count == most || !(at = next_kind(at, &place)) || (stack += place.size + WORD_SIZE) > MOST_STACK) return NULL;
    if (place.kind == 'd') doubles++;
    if (place.kind == 'f' || place.kind == 'd') floats++;
  }
  *why = ZB_NO_MEMORY;
  layout = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *layout + count * sizeof place);
  if (!layout) return NULL;
  layout->count = count;
  layout->floats = !floats ? 0 : doubles == count ? 2 : 1;
  for (uint32_t i = 0; i < count; i++) signature = next_kind(signature, &layout->places[i]);
  if (flags & ROUTINE_VARIADIC)
    convention = CONVENTION_CDECL; /* whatever the declaration says: only the caller knows how many bytes it has pushed */
  place_all(layout,
            convention == CONVENTION_THISCALL   ? 1
            : convention == CONVENTION_FASTCALL ? 2
                                                : 0,
            (flags & ROUTINE_RESULT_BY_ADDRESS) != 0);
  if (convention != CONVENTION_CDECL) layout->taken = layout->stack;
  return layout;
}
