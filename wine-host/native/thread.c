/* The bridge's notion of a thread, kept in a TLS slot of Windows (gcc's __thread is an emulation here that allocates). */
#include "internal.h"

struct zb_state zb = {.tls = TLS_OUT_OF_INDEXES};

/* TlsGetValue sets the last error to 0: keep the routine's. */
struct zb_thread *zb_current(void) {
  DWORD error;
  struct zb_thread *thread;
  if (zb.tls == TLS_OUT_OF_INDEXES) return NULL;
  error = GetLastError();
  thread = TlsGetValue(zb.tls);
  SetLastError(error);
  return thread;
}

/* The handlers of a stack overflow run on what is left of the stack: two pages, which do not suffice for walking it. */
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

/* Node is told of the row of the main thread: what runs there is what it names when the process ends. */
volatile uint32_t *zb_running_row(struct zb_thread *thread) {
  return thread->strand == 0 ? zb_word(WORD_RUNNING_ROW) : &thread->running_row;
}

void zb_detach(void) { TlsSetValue(zb.tls, NULL); }

/* Control handlers run on the thread they speak of; before zb_serve, and on threads that never called in, there is only
 * this common copy. */
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
