/** Made by `npm run generate` from schema/numbers.mjs. */

// What the segment is, and how it is divided. Offsets and sizes in bytes.
/** Version of the numbers here and of wire.fbs: a host refuses any other. */
export const WIRE_VERSION = 2
/** "ZBR1". */
export const MAGIC = 0x3152425a
/** Threads of Node’s that may use a session at one time. */
export const THREADS = 30
/** Number of the session’s worker among these threads. */
export const WORKER_THREAD = 0
/** Number of the thread that started the session. */
export const CALLER_THREAD = 1
/** Words of the first thread; see ThreadWord. */
export const THREAD_OFFSET = 0x400
/** Bytes of the words of each thread. */
export const THREAD_SIZE = 64
/** Threads of the host’s that may be in a callback at one time. */
export const STRANDS = 32
/** Mailbox of the first strand. */
export const STRAND_OFFSET = 0x1000
/** Bytes of a mailbox: first half host to Node, second half Node to host. */
export const STRAND_SIZE = 0x1000
/** Offset of the second half of a mailbox. */
export const STRAND_TO_HOST = 0x800
/** Bytes for a message in one half. */
export const MAILBOX_ROOM = 0x7f0
/** Slots of the ring of requests, and of each ring of replies. */
export const SLOTS = 0x400
/** The ring of requests. */
export const REQUEST_OFFSET = 0x30000
/** Bytes of a slot of requests. */
export const REQUEST_SIZE = 0x100
/** The ring of replies of the first thread; the others’ follow. */
export const REPLY_OFFSET = 0x80000
/** Bytes of a slot of replies. */
export const REPLY_SIZE = 64
/** Bytes of a ring of replies. */
export const REPLIES_SIZE = 0x10000
/** The memory of calls, up to the end of the segment. */
export const ARENA_OFFSET = 0x300000
/** An exception of the bridge’s own: of the address, the low half is what a routine took off the stack, the high half what is declared. */
export const EXCEPTION_UNBALANCED = 0xe05a4253
/** Offset of a message in a slot of requests or half of a mailbox. */
export const MESSAGE = 16
/** Offset of the Reply in a slot of replies. */
export const REPLY_MESSAGE = 8
/** Flag of a header: the message lies in the arena, and its offset in the message’s place. */
export const MESSAGE_IN_ARENA = 1
/** Flag of a Batch: GetLastError() of each row is stored. */
export const BATCH_LAST_ERRORS = 1
/** A record of a row that failed. */
export const ROW_FAILURE_SIZE = 16

/** The control block, as byte offsets. A line of the cache each for what never changes, what Node says of waiting, what the host has done, and whether it sleeps. */
export const ControlWord = {
  /** MAGIC. */
  magic: 0,
  /** WIRE_VERSION. */
  version: 4,
  /** Bytes of the segment. */
  segmentSize: 8,
  /** Process whose descriptors the threads’ bells are, as the host sees it. */
  bellProcess: 12,
  /** Node: microseconds that the host may look before it sleeps; 0: as long as it pays. */
  lookLimit: 64,
  /** Both: see Apart. */
  apart: 68,
  /** Node: number of the last sign of life that it has asked for. */
  pulseAsked: 72,
  /** Host: requests that it is done with; their slots are free. */
  done: 128,
  /** Host: see HostState. */
  hostState: 132,
  /** Host: number of the reply that it works on. */
  running: 136,
  /** Host: whose that is, as number of the thread; all ones: nothing runs. */
  runningThread: 140,
  /** Host: row of the batch that runs. */
  runningRow: 144,
  /** Host: number of the last one that it has given. */
  pulse: 148,
  /** Host: 1 while its main loop sleeps, or is about to; taken by who rings. */
  hostSleeps: 192,
  /** Host: the same for each strand. */
  strandSleeps: 0x180,
} as const

/** Of one thread of Node’s, as byte offsets from THREAD_OFFSET + number × THREAD_SIZE. */
export const ThreadWord = {
  /** Node: 1 while the thread sleeps, or is about to; taken by who rings. */
  sleeps: 0,
  /** Host: a bit for each strand that has posted for it; taken by the thread. */
  posted: 4,
  /** Node: descriptor of its bell. */
  bell: 8,
  /** Host: callbacks of the thread that are open. */
  open: 12,
  /** Node: 1 once the thread has ended; its callbacks then go to CALLER_THREAD. */
  gone: 16,
} as const

/** `ControlWord.apart`. */
export const Apart = {
  /** By the host: its main thread shares a core with whoever calls, and asks to leave it. */
  asked: 1,
  /** By Node, which has looked: it may use others. */
  allowed: 2,
} as const

/** `ControlWord.hostState`. */
export const HostState = {
  starting: 0,
  serving: 1,
  /** No answer comes any more. */
  leaving: 2,
} as const

/** Of a slot of requests and of half a mailbox, as byte offsets. */
export const Header = {
  /** Of the request, or of the message of this half; stored last. */
  number: 0,
  /** Of the message. */
  length: 4,
  /** Kind | number of the thread << 8 | flags << 16. */
  tag: 8,
  /** Number that the reply is to have (requests only). */
  reply: 12,
} as const

/** What a slot or a mailbox holds. */
export const Kind = {
  call: 1,
  batch: 2,
  control: 3,
  return: 4,
  callback: 5,
  reply: 6,
  outcome: 7,
} as const

/** The memory window: a request of Node’s at `offset`, its fields counted from there, and the answer and what is copied, counted from the start of the segment. */
export const Window = {
  /** The request; its first word is its number, stored last. */
  offset: 0x21000,
  /** See MemoryOp. */
  op: 4,
  /** Where this piece begins. */
  address: 8,
  /** How many bytes are wanted from there on in all. */
  rest: 16,
  /** Of this piece. */
  size: 24,
  /** Number of the request that was answered, stored last; behind it 0 done, 1 refused. */
  answer: 0x21040,
  /** What is copied. */
  data: 0x22000,
  /** At most so many bytes at a time. */
  room: 0xe000,
} as const

/** What Node asks for in the memory window. */
export const MemoryOp = {
  read: 1,
  write: 2,
} as const

/** `Reply.status`. */
export const Status = {
  /** Of a Batch: result = rows carried out, code = records of failures. */
  done: 0,
  /** code = what kind, result = address of the data, or all ones. */
  exception: 1,
  /** code: see Refusal. */
  refused: 2,
  /** The routine’s declaration had failed. */
  undeclared: 3,
  /** Its DLL has been unloaded. */
  unloaded: 4,
} as const

/** `Reply.code` where the status is `refused`. */
export const Refusal = {
  noRoutine: 1,
  malformed: 2,
  argumentCount: 3,
  outOfMemory: 4,
} as const

/** Flags of DECLARE. */
export const RoutineFlag = {
  /** use_last_error. */
  lastError: 1,
  /** use_errno. */
  errno: 2,
  variadic: 4,
  /** The first argument is where the result goes. */
  resultByAddress: 8,
} as const

/** Calling conventions, in DECLARE and THUNK. 64-bit Windows has one. */
export const Convention = {
  cdecl: 0,
  stdcall: 1,
  thiscall: 2,
  fastcall: 3,
} as const

/** Operations of a Control message. */
export const Op = {
  hello: 1,
  load: 2,
  unload: 3,
  declare: 4,
  release: 5,
  symbol: 6,
  thunk: 7,
  freeThunk: 8,
  alloc: 9,
  free: 10,
  freeTexts: 12,
  setLastError: 13,
  getLastError: 14,
  formatError: 15,
  findLibrary: 16,
  findMsvcrt: 17,
  path: 18,
  exit: 19,
  addDllDirectory: 20,
  removeDllDirectory: 21,
} as const

/** Fields of the Control table, as indices into its vtable. */
export const ControlField = {
  op: 0,
  numbers: 1,
  texts: 2,
  room: 3,
  roomSize: 4,
} as const

/** A Call, as byte offsets. */
export const Call = {
  /** Address of room for the texts that the routine leaves. */
  texts: 24,
  routine: 32,
  /** Bytes of it. */
  textRoom: 36,
  /** Of arguments. */
  count: 44,
  /** Eight bytes each. */
  arguments: 48,
} as const

/** A Reply, as byte offsets. */
export const Reply = {
  /** Of the whole. */
  size: 56,
  status: 24,
  code: 28,
  lastError: 32,
  errno: 36,
  /** Address of the texts; 0: none. */
  texts: 40,
  result: 48,
} as const

/** A Batch, as byte offsets. */
export const Batch = {
  /** Address of room for the texts that the routine leaves. */
  texts: 40,
  routine: 48,
  flags: 52,
  rows: 56,
  resultStride: 60,
  results: 64,
  errors: 72,
  lastErrors: 80,
  errorCapacity: 88,
  resultKind: 92,
  /** Bytes of the room for texts. */
  textRoom: 96,
  /** Of columns. */
  count: 100,
  columns: 104,
  /** Bytes of each: pointer, stride, kind. */
  columnSize: 24,
} as const

/** What a routine left: the size of the whole, then a record for each text (offset and length in bytes), then what they say. */
export const Texts = {
  size: 0,
  records: 4,
  recordSize: 8,
  /** Instead of a length: the pointer was bad. */
  unreadable: 0xffffffff,
} as const

/** How DECLARE says what a text is. */
export const TextForm = {
  wide: 1,
  inStructure: 2,
} as const

/** A Callback, as byte offsets. */
export const Callback = {
  /** Number of it; its high byte is that of the thread. */
  callback: 20,
  /** Of the host’s, as Windows numbers it. */
  thread: 24,
  /** Of arguments. */
  count: 36,
  /** Eight bytes each. */
  arguments: 40,
} as const

/** A Return, as byte offsets. */
export const Return = {
  /** Of the whole. */
  size: 24,
  result: 16,
} as const

// What is the same in front of every message of a kind, as words.
export const CALL_HEAD = [16, 0x18000c, 0x100008, 0x40014, 12, 24] as const
export const BATCH_HEAD = [32, 0x44001c, 0x100008, 0x180014, 0x20001c, 0x300028, 0x3c0038, 0x400004, 28, 64] as const
export const REPLY_HEAD = [20, 0x240010, 0x80004, 0x10000c, 0x1c0014, 16] as const
export const CALLBACK_HEAD = [16, 0x10000a, 0x80004, 12, 12] as const
export const RETURN_HEAD = [12, 0xc0006, 4, 8] as const
