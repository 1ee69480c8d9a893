/* The numbers of docs/wire.md, for the bridge. A test compares them with the other sides'. */
#ifndef ZB_WIRE_H
#define ZB_WIRE_H

#define WIRE_VERSION 2
#define MAGIC 0x3152425Au

#define THREADS 30 /* of Node's */
#define THREAD_OFFSET 0x400
#define THREAD_SIZE 64
#define STRANDS 32
#define STRAND_OFFSET 0x1000
#define STRAND_SIZE 0x1000
#define STRAND_TO_HOST 0x800 /* second half of a mailbox */
#define MAILBOX_ROOM (0x800 - 16)
#define SLOTS 1024
#define REQUEST_OFFSET 0x30000
#define REQUEST_SIZE 256
#define REPLY_OFFSET 0x80000 /* of the first thread's ring; the others' follow */
#define REPLY_SIZE 64
#define REPLIES_SIZE (SLOTS * REPLY_SIZE)
#define ARENA_OFFSET 0x300000
#define WINDOW_OFFSET 0x21000
#define WINDOW_OP 4
#define WINDOW_ADDRESS 8
#define WINDOW_REST 16
#define WINDOW_SIZE 24
#define WINDOW_ANSWER 0x21040
#define WINDOW_DATA 0x22000
#define WINDOW_ROOM 0xE000
#define MESSAGE 16 /* of a message inside a slot or mailbox */

/* Control block, as byte offsets. */
#define WORD_MAGIC 0x000
#define WORD_VERSION 0x004
#define WORD_SEGMENT_SIZE 0x008
#define WORD_BELL_PROCESS 0x00C
#define WORD_LOOK_LIMIT 0x040
#define WORD_KEEP_APART 0x044
#define WORD_DONE 0x080
#define WORD_HOST_STATE 0x084
#define WORD_RUNNING 0x088
#define WORD_RUNNING_THREAD 0x08C
#define WORD_RUNNING_ROW 0x090
#define WORD_HOST_SLEEPS 0x0C0
#define WORD_STRAND_SLEEPS 0x180
/* Of one thread of Node's. */
#define THREAD_SLEEPS 0
#define THREAD_POSTED 4
#define THREAD_BELL 8
#define THREAD_OPEN 12
/* Header of a slot or a mailbox. */
#define HEADER_LENGTH 4
#define HEADER_TAG 8
#define HEADER_REPLY 12

enum { STATE_STARTING = 0, STATE_SERVING = 1, STATE_LEAVING = 2 };
enum { KIND_CALL = 1, KIND_BATCH, KIND_CONTROL, KIND_RETURN, KIND_CALLBACK, KIND_REPLY, KIND_OUTCOME };
enum { MESSAGE_IN_ARENA = 1 };
enum { MEMORY_READ = 1, MEMORY_WRITE = 2 };
enum { STATUS_DONE = 0, STATUS_EXCEPTION, STATUS_REFUSED, STATUS_UNDECLARED, STATUS_UNLOADED };
enum { REFUSED_NO_ROUTINE = 1, REFUSED_MALFORMED, REFUSED_ARGUMENT_COUNT, REFUSED_OUT_OF_MEMORY };
enum { ROUTINE_LAST_ERROR = 1, ROUTINE_ERRNO = 2, ROUTINE_VARIADIC = 4, ROUTINE_RESULT_BY_ADDRESS = 8 };
enum { CONVENTION_CDECL = 0, CONVENTION_STDCALL, CONVENTION_THISCALL, CONVENTION_FASTCALL };
/* An exception of the bridge's own: the routine took other bytes off the stack (low half of the address) than declared (high half). */
#define EXCEPTION_UNBALANCED 0xE05A4253u
enum { BATCH_LAST_ERRORS = 1 };

#define CALL_TEXTS 24
#define CALL_ROUTINE 32
#define CALL_TEXT_ROOM 36
#define CALL_COUNT 44
#define CALL_ARGUMENTS 48

#define REPLY_MESSAGE_SIZE 56
#define REPLY_STATUS 24
#define REPLY_CODE 28
#define REPLY_LAST_ERROR 32
#define REPLY_ERRNO 36
#define REPLY_TEXTS 40
#define REPLY_RESULT 48

#define BATCH_TEXTS 40
#define BATCH_ROUTINE 48
#define BATCH_FLAGS 52
#define BATCH_ROWS 56
#define BATCH_RESULT_STRIDE 60
#define BATCH_RESULTS 64
#define BATCH_ERRORS 72
#define BATCH_LAST_ERRORS_AT 80
#define BATCH_ERROR_CAPACITY 88
#define BATCH_RESULT_KIND 92
#define BATCH_TEXT_ROOM 96
#define BATCH_COUNT 100
#define BATCH_COLUMNS 104
#define BATCH_COLUMN_SIZE 24

#define CALLBACK_NUMBER 20
#define CALLBACK_THREAD 24
#define CALLBACK_COUNT 36
#define CALLBACK_ARGUMENTS 40

#define RETURN_SIZE 24
#define RETURN_RESULT 16
#define ROW_FAILURE_SIZE 16

/* Texts: the size of the whole, then a record for each (offset and length in bytes), then what they say. */
#define TEXTS_SIZE 0
#define TEXTS_RECORDS 4
#define TEXTS_RECORD_SIZE 8
#define TEXTS_UNREADABLE 0xFFFFFFFFu
enum { TEXT_WIDE = 1, TEXT_IN_STRUCTURE = 2 };

/* Fields of the Control table, as indices into its vtable. */
enum { CONTROL_FIELD_OP = 0, CONTROL_FIELD_NUMBERS, CONTROL_FIELD_TEXTS, CONTROL_FIELD_ROOM, CONTROL_FIELD_ROOM_SIZE };
#endif
