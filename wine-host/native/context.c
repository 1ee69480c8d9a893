/* Initialization: what Python hands over is checked here, once. */
#include "internal.h"

#ifdef _WIN64
#define ARCHITECTURE "x86_64"
#else
#define ARCHITECTURE "i386"
#endif
ZB_API const char *zb_version(void) { return ZB_VERSION " " ARCHITECTURE; }
ZB_API uint32_t zb_context_size(void) { return sizeof(struct zb_context); }

_Static_assert(sizeof(void *) == 4 || (sizeof(struct zb_context) == 56 && offsetof(struct zb_context, control) == 40),
               "Python mirrors this structure");

ZB_API int32_t zb_init(const struct zb_context *context) {
  if (!context || context->size != sizeof *context || context->wire_version != WIRE_VERSION) return ZB_BAD_CONTEXT;
  if (!context->segment || ((ULONG_PTR)context->segment & 0xFFF) || context->segment_size < ARENA_OFFSET ||
      context->segment_size > 0xFFFFFFFFu || !context->host_bell || !context->strands_bell || !context->control)
    return ZB_BAD_CONTEXT;
  if (zb.tls == TLS_OUT_OF_INDEXES && (zb.tls = TlsAlloc()) == TLS_OUT_OF_INDEXES) return ZB_NO_MEMORY;
  zb.segment = context->segment;
  zb.segment_size = context->segment_size;
  if (zb_load(zb_word(WORD_MAGIC)) != MAGIC || zb_load(zb_word(WORD_VERSION)) != WIRE_VERSION) return ZB_BAD_CONTEXT;
  zb.host_bell = context->host_bell;
  zb.strands_bell = context->strands_bell;
  zb.control = context->control;
  zb.errno_location = context->errno_location;
  zb.leaving = zb.corrupt = 0;
  memset(zb.posted, 0, sizeof zb.posted);
  memset(zb.taken, 0, sizeof zb.taken);
  DWORD_PTR system;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &zb.cores, &system)) zb.cores = 0;
  zb_keep_open(zb.host_bell);
  zb_keep_open(zb.strands_bell);
  zb_calibrate();
  if (!zb_watch_me() || !zb_prepare_to_leave() || !zb_watch_exceptions() || !zb_watch_unloads() || !zb_listen())
    return ZB_NO_MEMORY;
  return ZB_OK;
}
