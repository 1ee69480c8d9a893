/* Shared by the bridge's sources; nothing in here is exported. */
#ifndef ZB_INTERNAL_H
#define ZB_INTERNAL_H
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <string.h>
#include "bridge.h"
#include "wire.h"

#define ZB_MAX_ARGUMENTS 256

/* One run of foreign code under a handler. `frame` is the stack pointer inside zb_guarded (call_*.S); on i386 that is also where its
 * record in the chain of handlers lies. */
struct zb_guard {
  void *frame;
  struct zb_guard *previous;
  uint32_t depth; /* of open callbacks when it began */
  uint32_t code;
  uint64_t address;
  uint32_t system_error; /* GetLastError() when the exception was met */
  uint32_t walking;      /* the vectored handler is reading the stack */
  uint32_t abandoned;    /* the routine was left without unwinding */
  uint32_t refused;      /* a callback was refused for want of stack */
};

enum { BESIDE = 8 };

/* What the bridge knows about a thread. `spin` is its waiting budget, in pauses. */
struct zb_thread {
  int32_t strand; /* -1: none */
  uint32_t depth;
  struct zb_guard *guard;
  uint32_t last_error; /* private copies, as in ctypes */
  int32_t errno_copy;
  uint32_t running_row;
  uint32_t system_error; /* the routines' own GetLastError(): the bridge's waiting must not show in it */
  uint32_t spin;
  uint32_t beside;      /* waits in a row after which Node's thread seemed to share this core */
  uint32_t beside_most; /* so many such waits until this thread asks to leave the core */
  CONTEXT walk;         /* kept here, for little of the stack may be left */
};

struct zb_state {
  uint8_t *segment;
  uint64_t segment_size;
  HANDLE host_bell, strands_bell, main_thread;
  HANDLE events[STRANDS];         /* what each strand but the first sleeps on */
  HANDLE volatile bells[THREADS]; /* of Node's threads, each opened when it is first rung */
  zb_control control;
  int *(*errno_location)(void);
  DWORD_PTR cores;                          /* that this process may use */
  uint32_t spin_full;                       /* pauses of the longest spin */
  uint64_t spin_ticks;                      /* the same in time stamp counter ticks */
  uint32_t posted[STRANDS], taken[STRANDS]; /* messages of each side, in a mailbox */
  volatile LONG leaving;                    /* EXIT was carried out, or the segment is corrupt */
  volatile LONG corrupt;
  DWORD tls;
};
extern struct zb_state zb;

/* Where an argument of a signature goes (layout.c). On i386 `word` is 0 for ecx, 1 for edx, and from 2 on a word of
 * the stack. Kind '{' is a structure by value: `size` bytes, copied from the address that the argument is. */
struct zb_place {
  uint32_t kind, size, word;
};
struct zb_layout {
  uint32_t count;
  uint32_t floats; /* 0 no argument is f or d, 1 some are, 2 all are d */
  uint32_t stack;  /* bytes */
  uint32_t taken;  /* bytes of them that the routine takes off when it returns; the caller takes the rest */
  struct zb_place places[];
};

/* UNLOADED: the DLL that held the address is gone. */
enum zb_entry_state { ENTRY_NONE = 0, ENTRY_READY, ENTRY_FAILED, ENTRY_UNLOADED };

/* A text that a routine leaves: its pointer lies `offset` bytes into the result (source -1), or into what an argument leads to. */
struct zb_text {
  int32_t source;
  uint32_t offset, form;
};
struct zb_text_list {
  uint32_t count;
  struct zb_text texts[];
};

/* The texts of a call or batch while they are gathered. Kept up to date in memory: an exception may end any step. */
struct zb_texts {
  const struct zb_text_list *list;
  uint8_t *volatile at;
  volatile uint32_t size, used;
  volatile uint32_t own;      /* `at` is memory of our own */
  volatile uint32_t full;     /* there is no memory for what comes */
  volatile uint32_t returned; /* the routine has returned; text `next` of its row comes next */
  volatile uint32_t next;
  uint64_t result;
};

/* Which error values a routine finds and leaves: the last error by the flags, errno if its place is known. */
struct zb_kept {
  uint32_t flags;
  int *(*errno_location)(void);
};

/* The state of a routine number: written once, then read without a lock (routine.c). */
struct zb_entry {
  volatile uint32_t state; /* enum zb_entry_state */
  struct zb_kept kept;
  uint64_t address;
  struct zb_layout *layout;
  const struct zb_text_list *volatile texts; /* NULL: none */
  uint32_t result_kind;
};

struct zb_arguments {
  uint64_t values[ZB_MAX_ARGUMENTS];
};

/* A Reply before it is laid out. */
struct zb_reply {
  uint32_t status, code;
  uint64_t texts, result;
};
#define ZB_MALFORMED \
  { .status = STATUS_REFUSED, .code = REFUSED_MALFORMED }

/* A message somewhere in the segment. */
struct zb_message {
  uint32_t kind;
  uint32_t length;
  const uint8_t *bytes;
};

struct zb_column {
  const uint8_t *pointer;
  int64_t stride;
  uint64_t kind;
};

/* A batch while it runs. The row is kept here as well as in the segment: Node could change the latter. */
struct zb_batch {
  const struct zb_entry *entry;
  uint32_t row; /* where a loop begins, and where it came to its end */
  uint32_t rows;
  uint32_t count;
  uint32_t result_kind;
  volatile uint32_t *running; /* the row that the loop is at: beside the result, the only store that each row costs */
  uint8_t *results;
  uint64_t result_stride;
  uint32_t *last_errors;
  struct zb_arguments *arguments;
  struct zb_texts *texts; /* NULL: the routine leaves none */
  struct zb_column columns[ZB_MAX_ARGUMENTS];
};
typedef void (*zb_body)(void *argument);

static inline volatile uint32_t *zb_word(uint32_t offset) { return (volatile uint32_t *)(zb.segment + offset); }
/* x86 keeps the order of stores; this keeps the compiler from changing it. */
static inline void zb_store(volatile uint32_t *at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }
static inline uint32_t zb_load(const volatile uint32_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static inline volatile uint32_t *zb_thread_word(uint32_t thread, uint32_t offset) {
  return zb_word(THREAD_OFFSET + thread * THREAD_SIZE + offset);
}
static inline uint32_t zb_u32(const uint8_t *at) {
  uint32_t v;
  memcpy(&v, at, 4);
  return v;
}
static inline uint64_t zb_u64(const uint8_t *at) {
  uint64_t v;
  memcpy(&v, at, 8);
  return v;
}

/* The thread's TEB, which begins with an NT_TIB. NtCurrentTeb() gives it, too, but gcc warns of it. */
static inline uint8_t *zb_teb(void) {
  uint8_t *teb;
#ifdef _WIN64
  __asm__("movq %%gs:0x30, %0" : "=r"(teb));
#else
  __asm__("movl %%fs:0x18, %0" : "=r"(teb));
#endif
  return teb;
}

/* A function of ntdll that the headers of mingw do not have. */
static inline void *zb_of_ntdll(const char *name) { return (void *)GetProcAddress(GetModuleHandleW(L"ntdll"), name); }

/* thread.c */
struct zb_thread *zb_current(void);
void zb_attach(struct zb_thread *thread, int32_t strand);
void zb_detach(void);
volatile uint32_t *zb_running_row(struct zb_thread *thread);
/* wait.c: returns when *head is no longer `seen`, or, on the first strand, when it was rung for something else */
void zb_calibrate(void);
void zb_wait(struct zb_thread *thread, volatile uint32_t *head, uint32_t seen, volatile uint32_t *sleeps);
/* bell.c: rings for a thread of Node's, if it sleeps; true then */
int zb_ring(uint32_t thread);
int zb_listen(void);
/* window.c */
void zb_serve_window(void);
/* routine.c */
struct zb_entry *zb_find_routine(uint32_t number);
int zb_usable(const struct zb_entry *entry, uint32_t count, struct zb_reply *reply);
int zb_watch_unloads(void);
/* layout.c: NULL, and why, if the signature is not one of at most `most` arguments */
struct zb_layout *zb_lay_out(const char *signature, uint32_t most, uint32_t convention, uint32_t flags, int32_t *why);
/* values.c */
int zb_kind_size(uint64_t kind);
uint64_t zb_extend(uint32_t kind, uint64_t bits);
/* memory.c */
int zb_reachable(uint64_t address, uint64_t size, int writable);
int zb_make_executable(uint8_t *code, SIZE_T size);
/* imports.c and errno.c */
const IMAGE_IMPORT_DESCRIPTOR *zb_imports(const uint8_t *module);
int *(*zb_errno_of(uint64_t routine))(void);
/* message.c */
void zb_execute(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply);
int zb_take_message(const uint8_t *slot, uint32_t room, uint32_t tag, struct zb_message *message);
void zb_put_reply(struct zb_thread *thread, const struct zb_reply *reply, uint8_t *out);
/* call.c and batch.c */
void zb_call(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply);
void zb_batch(struct zb_thread *thread, const struct zb_message *message, struct zb_reply *reply);
zb_body zb_choose_rows(const struct zb_batch *batch);
/* rows_*.c: a loop for shapes that are common, NULL for the others */
zb_body zb_special_rows(const struct zb_batch *batch);
/* near_x86_64.c */
zb_body zb_near(zb_body body, uint64_t address);
void zb_swap_in(struct zb_thread *thread, struct zb_kept kept);
void zb_swap_out(struct zb_thread *thread, struct zb_kept kept, uint32_t system_error);
/* texts.c */
void zb_forget_texts(struct zb_entry *entry);
int zb_begin_texts(struct zb_texts *texts, const struct zb_text_list *list, uint32_t rows, uint64_t room, uint32_t size);
void zb_take_texts(struct zb_texts *texts, uint32_t row, const uint64_t *arguments);
int zb_pass_text(struct zb_texts *texts, uint32_t row);
uint64_t zb_end_texts(struct zb_texts *texts);
void zb_drop_texts(struct zb_texts *texts);
/* control.c: out and capacity 0: the room that the message names. Returns the length of the Outcome, 0 if refused */
int32_t zb_control_message(struct zb_thread *thread, const struct zb_message *message, uint8_t *out, uint32_t capacity);
/* invoke_*.c: one call, without a guard; the result as its register has it. The arguments have room for at least four. */
uint64_t zb_invoke(const struct zb_entry *entry, const uint64_t *arguments);
/* exception.c */
int zb_protect(struct zb_thread *thread, zb_body body, void *argument, struct zb_guard *guard);
int zb_watch_exceptions(void);
int zb_room_for_callback(void);
void zb_refuse_callback(struct zb_thread *thread);
/* exception_*.c: unwinds to zb_guarded, whose handler Windows has called. Would Windows find that handler? And, without unwinding: go there
 * when the exception is continued */
__attribute__((noreturn)) void zb_unwind(void *frame, EXCEPTION_RECORD *record, void *dispatch);
int zb_guard_reachable(const struct zb_guard *guard, const CONTEXT *context, CONTEXT *copy);
void zb_resume_at_guard(const struct zb_guard *guard, CONTEXT *context);
int zb_recovering(const CONTEXT *context);
/* leave.c: says something on stderr; and why, whose last words Node hands on, and ends the process */
void zb_say(const char *what);
__attribute__((noreturn)) void zb_give_up(const char *why);
int zb_prepare_to_leave(void);
int zb_ends(void); /* the end has begun: nobody answers any more */
/* watch.c */
int zb_watch_me(void);
void zb_give_pulse(void);
void zb_keep_open(HANDLE handle);
void zb_check_handle(void); /* behind a failure, with its GetLastError() */
/* unwritten.c */
#define EXCEPTION_OF_STUB 0x80000100
#define ZB_STUB_NAME 256
uint64_t zb_stub_name(const EXCEPTION_RECORD *record);
void zb_note_stub(const EXCEPTION_RECORD *record);
/* thunk.c */
struct zb_stub {
  volatile LONG live;
  uint32_t number;
  uint32_t freed_at;
  struct zb_stub *next; /* in its chain, or the queue of freed ones */
  struct zb_layout *layout;
  uint32_t index;
  uint32_t result_kind;
};
struct zb_stub *zb_stub_at(uint32_t index);
void zb_count_disposed(void);
/* stub_*.c: writes the machine code of a stub, at most 16 bytes, which goes with its index to zb_callback_common; `block` begins with the
 * address of that */
void zb_write_stub(uint8_t *at, uint32_t index, const uint8_t *block);
/* What zb_callback_common has saved of the arguments: its layout is the architecture's (stub_*.c). */
struct zb_frame;
uint64_t zb_frame_argument(const struct zb_frame *frame, const struct zb_layout *layout, uint32_t index);
/* call_*.S */
int zb_guarded(zb_body body, void *argument, struct zb_guard *guard);
extern char zb_guarded_recover[], zb_guarded_end[];
void zb_callback_common(void);
/* callback.c: the bits of the result, which the caller puts where the architecture has it */
uint64_t zb_callback_enter(uint32_t index, const struct zb_frame *frame);
#endif
