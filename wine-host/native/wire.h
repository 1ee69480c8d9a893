/* Made by `npm run generate` from schema/numbers.mjs. */
#ifndef ZB_WIRE_H
#define ZB_WIRE_H

/* What the segment is, and how it is divided. Offsets and sizes in bytes. */
#define WIRE_VERSION 2 /* Version of the numbers here and of wire.fbs: a host refuses any other */
#define MAGIC 0x3152425a /* "ZBR1" */
#define THREADS 30 /* Threads of Node’s that may use a session at one time */
#define WORKER_THREAD 0 /* Number of the session’s worker among these threads */
#define CALLER_THREAD 1 /* Number of the thread that started the session */
#define THREAD_OFFSET 0x400 /* Words of the first thread; see ThreadWord */
#define THREAD_SIZE 64 /* Bytes of the words of each thread */
#define STRANDS 32 /* Threads of the host’s that may be in a callback at one time */
#define STRAND_OFFSET 0x1000 /* Mailbox of the first strand */
#define STRAND_SIZE 0x1000 /* Bytes of a mailbox: first half host to Node, second half Node to host */
#define STRAND_TO_HOST 0x800 /* Offset of the second half of a mailbox */
#define MAILBOX_ROOM 0x7f0 /* Bytes for a message in one half */
#define SLOTS 0x400 /* Slots of the ring of requests, and of each ring of replies */
#define REQUEST_OFFSET 0x30000 /* The ring of requests */
#define REQUEST_SIZE 0x100 /* Bytes of a slot of requests */
#define REPLY_OFFSET 0x80000 /* The ring of replies of the first thread; the others’ follow */
#define REPLY_SIZE 64 /* Bytes of a slot of replies */
#define REPLIES_SIZE 0x10000 /* Bytes of a ring of replies */
#define ARENA_OFFSET 0x300000 /* The memory of calls, up to the end of the segment */
#define EXCEPTION_UNBALANCED 0xe05a4253u /* An exception of the bridge’s own: of the address, the low half is what a routine took off the stack, the high half what is declared */
#define MESSAGE 16 /* Offset of a message in a slot of requests or half of a mailbox */
#define REPLY_MESSAGE 8 /* Offset of the Reply in a slot of replies */
#define MESSAGE_IN_ARENA 1 /* Flag of a header: the message lies in the arena, and its offset in the message’s place */
#define BATCH_LAST_ERRORS 1 /* Flag of a Batch: GetLastError() of each row is stored */
#define ROW_FAILURE_SIZE 16 /* A record of a row that failed */

/* The control block, as byte offsets. A line of the cache each for what never changes, what Node says of waiting, what the host has done, and whether it sleeps. */
#define WORD_MAGIC 0 /* MAGIC */
#define WORD_VERSION 4 /* WIRE_VERSION */
#define WORD_SEGMENT_SIZE 8 /* Bytes of the segment */
#define WORD_BELL_PROCESS 12 /* Process whose descriptors the threads’ bells are, as the host sees it */
#define WORD_LOOK_LIMIT 64 /* Node: microseconds that the host may look before it sleeps; 0: as long as it pays */
#define WORD_APART 68 /* Both: see Apart */
#define WORD_PULSE_ASKED 72 /* Node: number of the last sign of life that it has asked for */
#define WORD_DONE 128 /* Host: requests that it is done with; their slots are free */
#define WORD_HOST_STATE 132 /* Host: see HostState */
#define WORD_RUNNING 136 /* Host: number of the reply that it works on */
#define WORD_RUNNING_THREAD 140 /* Host: whose that is, as number of the thread; all ones: nothing runs */
#define WORD_RUNNING_ROW 144 /* Host: row of the batch that runs */
#define WORD_PULSE 148 /* Host: number of the last one that it has given */
#define WORD_HOST_SLEEPS 192 /* Host: 1 while its main loop sleeps, or is about to; taken by who rings */
#define WORD_STRAND_SLEEPS 0x180 /* Host: the same for each strand */

/* Of one thread of Node’s, as byte offsets from THREAD_OFFSET + number × THREAD_SIZE. */
#define THREAD_SLEEPS 0 /* Node: 1 while the thread sleeps, or is about to; taken by who rings */
#define THREAD_POSTED 4 /* Host: a bit for each strand that has posted for it; taken by the thread */
#define THREAD_BELL 8 /* Node: descriptor of its bell */
#define THREAD_OPEN 12 /* Host: callbacks of the thread that are open */
#define THREAD_GONE 16 /* Node: 1 once the thread has ended; its callbacks then go to CALLER_THREAD */

/* `ControlWord.apart`. */
#define APART_ASKED 1 /* By the host: its main thread shares a core with whoever calls, and asks to leave it */
#define APART_ALLOWED 2 /* By Node, which has looked: it may use others */

/* `ControlWord.hostState`. */
#define STATE_STARTING 0
#define STATE_SERVING 1
#define STATE_LEAVING 2 /* No answer comes any more */

/* Of a slot of requests and of half a mailbox, as byte offsets. */
#define HEADER_NUMBER 0 /* Of the request, or of the message of this half; stored last */
#define HEADER_LENGTH 4 /* Of the message */
#define HEADER_TAG 8 /* Kind | number of the thread << 8 | flags << 16 */
#define HEADER_REPLY 12 /* Number that the reply is to have (requests only) */

/* What a slot or a mailbox holds. */
#define KIND_CALL 1
#define KIND_BATCH 2
#define KIND_CONTROL 3
#define KIND_RETURN 4
#define KIND_CALLBACK 5
#define KIND_REPLY 6
#define KIND_OUTCOME 7

/* The memory window: a request of Node’s at `offset`, its fields counted from there, and the answer and what is copied, counted from the start of the segment. */
#define WINDOW_OFFSET 0x21000 /* The request; its first word is its number, stored last */
#define WINDOW_OP 4 /* See MemoryOp */
#define WINDOW_ADDRESS 8 /* Where this piece begins */
#define WINDOW_REST 16 /* How many bytes are wanted from there on in all */
#define WINDOW_SIZE 24 /* Of this piece */
#define WINDOW_ANSWER 0x21040 /* Number of the request that was answered, stored last; behind it 0 done, 1 refused */
#define WINDOW_DATA 0x22000 /* What is copied */
#define WINDOW_ROOM 0xe000 /* At most so many bytes at a time */

/* What Node asks for in the memory window. */
#define MEMORY_READ 1
#define MEMORY_WRITE 2

/* `Reply.status`. */
#define STATUS_DONE 0 /* Of a Batch: result = rows carried out, code = records of failures */
#define STATUS_EXCEPTION 1 /* code = what kind, result = address of the data, or all ones */
#define STATUS_REFUSED 2 /* code: see Refusal */
#define STATUS_UNDECLARED 3 /* The routine’s declaration had failed */
#define STATUS_UNLOADED 4 /* Its DLL has been unloaded */

/* `Reply.code` where the status is `refused`. */
#define REFUSED_NO_ROUTINE 1
#define REFUSED_MALFORMED 2
#define REFUSED_ARGUMENT_COUNT 3
#define REFUSED_OUT_OF_MEMORY 4

/* Flags of DECLARE. */
#define ROUTINE_LAST_ERROR 1 /* use_last_error */
#define ROUTINE_ERRNO 2 /* use_errno */
#define ROUTINE_VARIADIC 4
#define ROUTINE_RESULT_BY_ADDRESS 8 /* The first argument is where the result goes */

/* Calling conventions, in DECLARE and THUNK. 64-bit Windows has one. */
#define CONVENTION_CDECL 0
#define CONVENTION_STDCALL 1
#define CONVENTION_THISCALL 2
#define CONVENTION_FASTCALL 3

/* Operations of a Control message. */
#define OP_HELLO 1
#define OP_LOAD 2
#define OP_UNLOAD 3
#define OP_DECLARE 4
#define OP_RELEASE 5
#define OP_SYMBOL 6
#define OP_THUNK 7
#define OP_FREE_THUNK 8
#define OP_ALLOC 9
#define OP_FREE 10
#define OP_FREE_TEXTS 12
#define OP_SET_LAST_ERROR 13
#define OP_GET_LAST_ERROR 14
#define OP_FORMAT_ERROR 15
#define OP_FIND_LIBRARY 16
#define OP_FIND_MSVCRT 17
#define OP_PATH 18
#define OP_EXIT 19
#define OP_ADD_DLL_DIRECTORY 20
#define OP_REMOVE_DLL_DIRECTORY 21

/* Fields of the Control table, as indices into its vtable. */
#define CONTROL_FIELD_OP 0
#define CONTROL_FIELD_NUMBERS 1
#define CONTROL_FIELD_TEXTS 2
#define CONTROL_FIELD_ROOM 3
#define CONTROL_FIELD_ROOM_SIZE 4

/* A Call, as byte offsets. */
#define CALL_TEXTS 24 /* Address of room for the texts that the routine leaves */
#define CALL_ROUTINE 32
#define CALL_TEXT_ROOM 36 /* Bytes of it */
#define CALL_COUNT 44 /* Of arguments */
#define CALL_ARGUMENTS 48 /* Eight bytes each */

/* A Reply, as byte offsets. */
#define REPLY_MESSAGE_SIZE 56 /* Of the whole */
#define REPLY_STATUS 24
#define REPLY_CODE 28
#define REPLY_LAST_ERROR 32
#define REPLY_ERRNO 36
#define REPLY_TEXTS 40 /* Address of the texts; 0: none */
#define REPLY_RESULT 48

/* A Batch, as byte offsets. */
#define BATCH_TEXTS 40 /* Address of room for the texts that the routine leaves */
#define BATCH_ROUTINE 48
#define BATCH_FLAGS 52
#define BATCH_ROWS 56
#define BATCH_RESULT_STRIDE 60
#define BATCH_RESULTS 64
#define BATCH_ERRORS 72
#define BATCH_LAST_ERRORS_AT 80
#define BATCH_ERROR_CAPACITY 88
#define BATCH_RESULT_KIND 92
#define BATCH_TEXT_ROOM 96 /* Bytes of the room for texts */
#define BATCH_COUNT 100 /* Of columns */
#define BATCH_COLUMNS 104
#define BATCH_COLUMN_SIZE 24 /* Bytes of each: pointer, stride, kind */

/* What a routine left: the size of the whole, then a record for each text (offset and length in bytes), then what they say. */
#define TEXTS_SIZE 0
#define TEXTS_RECORDS 4
#define TEXTS_RECORD_SIZE 8
#define TEXTS_UNREADABLE 0xffffffffu /* Instead of a length: the pointer was bad */

/* How DECLARE says what a text is. */
#define TEXT_WIDE 1
#define TEXT_IN_STRUCTURE 2

/* A Callback, as byte offsets. */
#define CALLBACK_NUMBER 20 /* Number of it; its high byte is that of the thread */
#define CALLBACK_THREAD 24 /* Of the host’s, as Windows numbers it */
#define CALLBACK_COUNT 36 /* Of arguments */
#define CALLBACK_ARGUMENTS 40 /* Eight bytes each */

/* A Return, as byte offsets. */
#define RETURN_SIZE 24 /* Of the whole */
#define RETURN_RESULT 16

/* What is the same in front of every message of a kind, as 32-bit words. */
#define CALL_HEAD {16, 0x18000c, 0x100008, 0x40014, 12, 24}
#define BATCH_HEAD {32, 0x44001c, 0x100008, 0x180014, 0x20001c, 0x300028, 0x3c0038, 0x400004, 28, 64}
#define REPLY_HEAD {20, 0x240010, 0x80004, 0x10000c, 0x1c0014, 16}
#define CALLBACK_HEAD {16, 0x10000a, 0x80004, 12, 12}
#define RETURN_HEAD {12, 0xc0006, 4, 8}
#endif
