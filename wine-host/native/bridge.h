/* What bridge-win64.dll and bridge-win32.dll export. The Python host fills a zb_context, calls zb_init once, and then zb_serve, which returns
 * only when the session ends. Python calls all of this through ctypes.CDLL, so the GIL is free while zb_serve runs. */
#ifndef ZB_BRIDGE_H
#define ZB_BRIDGE_H
#include <stdint.h>

#ifdef ZB_BUILDING
#define ZB_API __declspec(dllexport)
#else
#define ZB_API __declspec(dllimport)
#endif

/* Carries out a Control message. Returns the length of the Outcome it wrote to `out`, or'ed with ZB_CONTROL_EXIT when the
 * loop shall end after the answer; 0 or less: the message was malformed (the bridge then answers "refused"). */
typedef int32_t (*zb_control)(const uint8_t *message, uint32_t length, uint8_t *out, uint32_t capacity);
#define ZB_CONTROL_EXIT 0x40000000

/* Offsets (of 64 bits) are part of the interface: Python mirrors it as a ctypes.Structure. */
struct zb_context {
  uint32_t size;                /*  0: sizeof(struct zb_context) */
  uint32_t wire_version;        /*  4: WIRE_VERSION of docs/wire.md */
  uint8_t *segment;             /*  8: where the segment is mapped */
  uint64_t segment_size;        /* 16 */
  void *host_bell;              /* 24: HANDLE, read: wakes the main loop */
  void *strands_bell;           /* 32: HANDLE, read: wakes the bell thread */
  zb_control control;           /* 40 */
  int *(*errno_location)(void); /* 48: `_errno` of the C runtime whose errno is kept where a DLL has none of its own, or NULL */
};

/* Results: 0 done, a negative number otherwise (zb_error). */
enum zb_error {
  ZB_OK = 0,
  ZB_BAD_CONTEXT = -1, /* size, version, segment or a handle is not usable */
  ZB_CORRUPT = -2,     /* zb_serve: a slot or a mailbox holds what cannot be */
  ZB_BAD_NUMBER = -3,  /* a routine number beyond the table */
  ZB_BAD_SIGNATURE = -4,
  ZB_NO_MEMORY = -5
};

/* Version of the package, then the architecture. */
ZB_API const char *zb_version(void);
ZB_API uint32_t zb_context_size(void);
ZB_API int32_t zb_init(const struct zb_context *context);

/* Runs the loop on the calling thread, which is strand 0. 0: EXIT was carried out. */
ZB_API int32_t zb_serve(void);

/* Ends the process after the clean-up of its DLLs, and does not return. `lifeline` is the pipe that ends when Node is
 * gone; from then on the clean-up has little time left. `gone`: it has ended already. Callbacks get zero from now on. */
ZB_API void zb_leave(void *lifeline, int32_t gone);

/* Watches the thread of zb_init, and ends the process if that thread ends too early. Does not return. */
ZB_API void zb_watch(void);

/* Convention, flags, signature and kinds are those of docs/wire.md and src/ctypes/sink.ts. */
ZB_API int32_t zb_routine(uint32_t number, uint64_t address, uint32_t convention, uint32_t flags, const char *signature,
                          uint32_t result_kind);
/* Says which texts a routine leaves; to be called after zb_routine. Three numbers for each text: -1 for the result or
 * the number of an argument, the offset of the pointer in what that leads to, and the form (TEXT_WIDE,
 * TEXT_IN_STRUCTURE of wire.h). */
ZB_API int32_t zb_texts(uint32_t number, const int64_t *numbers, uint32_t count);
/* Frees texts that had no room in their request; `address` is that of their Reply. */
ZB_API int32_t zb_free_texts(uint64_t address);
/* The declaration failed: calls of the number are answered with status 3. */
ZB_API int32_t zb_undeclared(uint32_t number);
ZB_API int32_t zb_release(uint32_t number);

/* An import that cannot be met: a loaded DLL that is not Wine's own does not export it. By name, or by ordinal where
 * it has no name. */
struct zb_import {
  uint64_t module; /* that needs it: the one asked for, or one that it has brought along */
  const char *dll, *routine;
  uint32_t ordinal;
};
/* 1 and the first such import; 0 if there is none. The strings lie in the module. */
ZB_API int32_t zb_unmet_import(uint64_t module, struct zb_import *unmet);

/* The address of "dll.routine", which names the last routine that a DLL has called and that Wine lacks; once for
 * each, otherwise 0. */
ZB_API uint64_t zb_missed_stub(void);

/* Address of a function that calls Node's callback `number`; 0 if the signature is bad or there is no memory. */
ZB_API uint64_t zb_thunk(uint32_t number, uint32_t convention, uint32_t flags, const char *signature, uint32_t result_kind);
/* From now on the function answers 0. */
ZB_API int32_t zb_free_thunk(uint32_t number);
/* Calls that freed thunks have answered with 0. */
ZB_API uint32_t zb_disposed_calls(void);

/* The calling thread's private copies (those of ctypes.get_last_error and get_errno), and the GetLastError() that its
 * last routine left. */
ZB_API uint32_t zb_get_last_error(void);
ZB_API void zb_set_last_error(uint32_t value);
ZB_API int32_t zb_get_errno(void);
ZB_API void zb_set_errno(int32_t value);
ZB_API uint32_t zb_get_system_error(void);
#endif
