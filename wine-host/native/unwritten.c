/* Routines that Wine's DLLs export and do not implement: Wine raises an exception that names them. */
#include "internal.h"
#include <stdio.h>

enum { NAMES = 64, LONGEST = 120 };
static char names[NAMES][ZB_STUB_NAME];
static volatile LONG count;
static volatile uint64_t missed;

/* Copies a name. Any software can raise an exception with this code: its parameters may be anything. */
static const char *text(ULONG_PTR address, char *out) {
  uint32_t length = 0;
  for (; length < LONGEST; length++) {
    if ((!length || !((address + length) & 0xFFF)) && !zb_reachable(address + length, 1, 0)) return NULL;
    out[length] = ((const char *)address)[length];
    if (out[length] < ' ' || out[length] > '~') break;
  }
  if (!length || out[length]) return NULL;
  return out;
}

/* Address of "dll.routine", which stays valid; all bits set if it is not known, or too many have been missed. */
uint64_t zb_stub_name(const EXCEPTION_RECORD *record) {
  char dll[LONGEST + 1] = {0}, routine[LONGEST + 1] = {0}, name[ZB_STUB_NAME];
  LONG known = count < NAMES ? count : NAMES;
  if (record->NumberParameters < 2 || !text(record->ExceptionInformation[0], dll)) return ~0ull;
  if (record->ExceptionInformation[1] < 0x10000)
    snprintf(routine, sizeof routine, "#%u", (unsigned)record->ExceptionInformation[1]);
  else if (!text(record->ExceptionInformation[1], routine)) return ~0ull;
  snprintf(name, sizeof name, "%s.%s", dll, routine);
  for (LONG i = 0; i < known; i++)
    if (!strcmp(names[i], name)) return (uint64_t)(ULONG_PTR)names[i];
  LONG place = InterlockedIncrement(&count) - 1;
  if (place >= NAMES) {
    InterlockedDecrement(&count);
    return ~0ull;
  }
  return (uint64_t)(ULONG_PTR)strcpy(names[place], name);
}

/* Notes it where it is raised: code that a DLL runs while it is loaded runs under handlers of Wine's, which report
 * nothing. */
void zb_note_stub(const EXCEPTION_RECORD *record) { missed = zb_stub_name(record); }

ZB_API uint64_t zb_missed_stub(void) {
  uint64_t last = missed;
  missed = 0;
  return ~last ? last : 0;
}
