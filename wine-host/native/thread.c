/* What the bridge keeps of each thread, in a TLS slot of Windows (gcc's __thread is an emulation here that
 * allocates). */
#include "internal.h"

struct zb_state zb = {.tls = TLS_OUT_OF_INDEXES};

/* TlsGetValue sets the last error to 0: the routine's is kept. */
struct zb_thread *zb_current(void) {
  DWORD error;
  struct zb_thread *thread;
  if (zb.tls == TLS_OUT_OF_INDEXES) return NULL;
  error = GetLastError();
  thread = TlsGetValue(zb.tls);
  SetLastError(error);
  return thread;
}

/* Bytes of stack for the handlers of an overflow: by default two pages are left, which do not suffice to walk the
 * stack. */
enum { LEFT_AFTER_OVERFLOW = 32768 };

void zb_attach(struct zb_thread *thread, int32_t strand) {
  ULONG bytes = LEFT_AFTER_OVERFLOW;
  SetThreadStackGuarantee(&bytes); /* never lowers it */
  memset(thread, 0, offsetof(struct zb_thread, walk));
  thread->strand = strand;
  thread->spin = zb.spin_full;
  thread->beside_most = BESIDE;
  TlsSetValue(zb.tls, thread);
}

/* The row of the main thread is a word in the segment, which Node reads when the process has ended; other threads
 * have a word of their own. */
volatile uint32_t *zb_running_row(struct zb_thread *thread) {
  return thread->strand == 0 ? zb_word(WORD_RUNNING_ROW) : &thread->running_row;
}

void zb_detach(void) { TlsSetValue(zb.tls, NULL); }

/* For threads that the bridge does not know, as before zb_serve: one copy for all of them. */
static struct zb_thread nobody;

static struct zb_thread *own(void) {
  struct zb_thread *thread = zb_current();
  return thread ? thread : &nobody;
}

ZB_API uint32_t zb_get_last_error(void) { return own()->last_error; }
ZB_API void zb_set_last_error(uint32_t value) { own()->last_error = value; }
ZB_API int32_t zb_get_errno(void) { return own()->errno_copy; }
ZB_API void zb_set_errno(int32_t value) { own()->errno_copy = value; }
ZB_API uint32_t zb_get_system_error(void) { return own()->system_error; }
