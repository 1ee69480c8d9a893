/* Control messages are Python's work; the bridge only has to know where the Outcome goes. The table is an ordinary
 * FlatBuffer, so its vtable is walked (flatbuffers.dev, "Internals"). */
#include "internal.h"
#include "modes.h"

/* Offset of a field's value, 0 if the table leaves it out, -1 if anything points outside. */
static int64_t field(const uint8_t *bytes, uint32_t length, uint32_t index, uint32_t size) {
  uint32_t table, entry = 4 + 2 * index;
  int64_t vtable, at;
  uint16_t vtable_size, table_size, offset;
  if (length < 8) return -1;
  table = zb_u32(bytes);
  if (table > length - 4) return -1;
  vtable = (int64_t)table - (int32_t)zb_u32(bytes + table);
  if (vtable < 0 || vtable > (int64_t)length - 4) return -1;
  memcpy(&vtable_size, bytes + vtable, 2);
  memcpy(&table_size, bytes + vtable + 2, 2);
  if (vtable_size < 4 || (vtable_size & 1) || vtable + vtable_size > length || table_size > length - table) return -1;
  if (entry + 2 > vtable_size) return 0;
  memcpy(&offset, bytes + vtable + entry, 2);
  if (!offset) return 0;
  at = (int64_t)table + offset;
  return offset < 4 || offset + size > table_size ? -1 : at;
}

int32_t zb_control_message(struct zb_thread *thread, const struct zb_message *message, uint8_t *out, uint32_t capacity) {
  const uint8_t *bytes = message->bytes;
  uint32_t length = message->length;
  int64_t at_room = field(bytes, length, CONTROL_FIELD_ROOM, 8), at_size = field(bytes, length, CONTROL_FIELD_ROOM_SIZE, 4);
  uint8_t nowhere[MAILBOX_ROOM];
  struct zb_guard *guard = thread->guard;
  struct zb_modes modes;
  int32_t written;
  if (at_room < 0 || at_size < 0) return 0;
  if (!out) {
    uint64_t offset = at_room ? zb_u64(bytes + at_room) : 0;
    capacity = at_size ? zb_u32(bytes + at_size) : 0;
    out = zb.segment + offset;
    if (offset) {
      if (offset < ARENA_OFFSET || offset > zb.segment_size || capacity > zb.segment_size - offset) return 0;
    } else { /* no room was given: the outcome is dropped */
      out = nowhere;
      capacity = sizeof nowhere;
    }
  }
  /* No guard while Python runs: an exception must not be unwound through Python's frames, which hold its lock. ctypes
   * catches its own. */
  thread->guard = NULL;
  SetLastError(thread->system_error);
  zb_keep_modes(&modes); /* a DLL runs code of its own when it is loaded */
  written = zb.control(bytes, length, out, capacity);
  zb_settle_modes(&modes);
  thread->guard = guard;
  if (written > 0 && (written & ZB_CONTROL_EXIT)) {
    InterlockedExchange(&zb.leaving, 1);
    written &= ~ZB_CONTROL_EXIT;
  }
  return written > 0 && (uint32_t)written <= capacity ? written : 0;
}
