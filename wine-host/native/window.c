/* The memory window: reads and writes memory of this process for Node, whatever the main thread does, where the
 * kernel does not let Node do that itself. Runs on the bell thread. */
#include "internal.h"

enum { DONE = 0, REFUSED = 1 };

static int copy(uint32_t operation, uint64_t address, uint64_t rest, uint32_t size) {
  uint8_t *data = zb.segment + WINDOW_DATA;
  SIZE_T done;
  if (size > rest || size > WINDOW_ROOM || !zb_reachable(address, rest, operation == MEMORY_WRITE)) return 0;
  /* these fail where memory goes away meanwhile; a copy of our own would crash */
  if (operation == MEMORY_WRITE)
    return WriteProcessMemory(GetCurrentProcess(), (void *)(ULONG_PTR)address, data, size, &done) && done == size;
  return ReadProcessMemory(GetCurrentProcess(), (void *)(ULONG_PTR)address, data, size, &done) && done == size;
}

void zb_serve_window(void) {
  static uint32_t served;
  const uint8_t *request = zb.segment + WINDOW_OFFSET;
  uint32_t number = zb_load((const volatile uint32_t *)request);
  if (number == served) return;
  served = number;
  int good = copy(zb_u32(request + WINDOW_OP), zb_u64(request + WINDOW_ADDRESS), zb_u64(request + WINDOW_REST),
                  zb_u32(request + WINDOW_SIZE));
  zb_store(zb_word(WINDOW_ANSWER + 4), good ? DONE : REFUSED);
  zb_store(zb_word(WINDOW_ANSWER), number);
}
