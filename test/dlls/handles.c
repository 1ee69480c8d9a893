/* Handles: pointers that lead nowhere and are numbers of any 64 bits. */
#include <stdint.h>
#define API __declspec(dllexport)

typedef struct device__ {
  int unused;
} * DEVICE;
struct box {
  DEVICE device;
};

API DEVICE invalid(void) { return (DEVICE)(intptr_t)-1; }
API DEVICE extended(void) { return (DEVICE)(intptr_t)(int32_t)0x8A05001F; }
API int is(DEVICE device, intptr_t bits) { return (intptr_t)device == bits; }
API struct box boxed(DEVICE device) {
  struct box box = {device};
  return box;
}
API int unboxed(struct box box, intptr_t bits) { return is(box.device, bits); }
API void fill(struct box *box) { box->device = extended(); }
API int tell(int (*f)(DEVICE), DEVICE device) { return f(device); }
API DEVICE ask(DEVICE (*f)(void)) { return f(); }
/* As SQLITE_TRANSIENT and SIG_ERR: a function pointer that is none. */
API int is_sentinel(void (*f)(void)) { return (intptr_t)f == -1; }
API void *sentinel(void) { return (void *)(intptr_t)-1; }
