/** The numbers of docs/wire.md, for Node. A test compares them with the other sides'. */
export const WIRE_VERSION = 2
export const MAGIC = 0x3152425a

/** Threads of Node's that may use one session at the same time (the first is the worker, the second the one that started it). */
export const THREADS = 30
/** For each of them: see ThreadWord. */
export const THREAD_OFFSET = 0x400
export const THREAD_SIZE = 64
export const STRANDS = 32
export const STRAND_OFFSET = 0x1000
export const STRAND_SIZE = 0x1000
/** Second half of a mailbox: Node to host. */
export const STRAND_TO_HOST = 0x800
export const MAILBOX_ROOM = 0x800 - 16
/** Slots of the ring of requests, and of each thread's ring of replies. */
export const SLOTS = 1024
export const REQUEST_OFFSET = 0x30000
export const REQUEST_SIZE = 256
export const REPLY_OFFSET = 0x80000
export const REPLY_SIZE = 64
/** Of the ring of replies of one thread. */
export const REPLIES_SIZE = SLOTS * REPLY_SIZE
export const ARENA_OFFSET = 0x300000

/** Control block, as byte offsets. A line of the cache for each of: what never changes; what Node says of waiting; what the host does; whether it sleeps. */
export const ControlWord = {
  magic: 0x0,
  version: 0x4,
  segmentSize: 0x8,
  /** Process whose descriptors the bells are, as the host sees it. */
  bellProcess: 0xc,
  lookLimit: 0x40,
  keepApart: 0x44,
  done: 0x80,
  hostState: 0x84,
  running: 0x88,
  runningThread: 0x8c,
  runningRow: 0x90,
  hostSleeps: 0xc0,
  strandSleeps: 0x180,
} as const
/** What Node and the host tell each other of one thread, as byte offsets. */
export const ThreadWord = { sleeps: 0, posted: 4, bell: 8, open: 12 } as const

/**
 * Memory of the host's, piece by piece (byte offsets): a request of Node's at `offset`, with the fields behind it counted from there,
 * the answer, and what is copied.
 */
export const Window = {
  offset: 0x21000,
  op: 4,
  address: 8,
  rest: 16,
  size: 24,
  answer: 0x21040,
  data: 0x22000,
  room: 0xe000,
} as const
/** What Node asks for there. */
export const MemoryOp = { read: 1, write: 2 } as const

/** What a slot or a mailbox holds. */
export const Kind = { call: 1, batch: 2, control: 3, return: 4, callback: 5, reply: 6, outcome: 7 } as const

/** Flag of a request slot's or a mailbox's header: the message lies in the arena, and its offset in the message's place. */
export const MESSAGE_IN_ARENA = 1

/** `Reply.status`. */
export const Status = { done: 0, exception: 1, refused: 2, undeclared: 3, unloaded: 4 } as const
/** `Reply.code` where the status is `refused`. */
export const Refusal = { noRoutine: 1, malformed: 2, argumentCount: 3, outOfMemory: 4 } as const

/** Header of a slot or a mailbox: number, length of the message, kind | thread << 8 | flags << 16, number of the thread's reply. */
export const Header = { number: 0, length: 4, tag: 8, reply: 12 } as const
/** Offset of a message inside a slot or mailbox. */
export const MESSAGE = 16
/** Offset of the table inside a slot of replies, behind number and length. */
export const REPLY_MESSAGE = 8
export const Call = { texts: 24, routine: 32, textRoom: 36, count: 44, arguments: 48 } as const
export const Reply = { size: 56, status: 24, code: 28, lastError: 32, errno: 36, texts: 40, result: 48 } as const
export const Batch = {
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
  textRoom: 96,
  count: 100,
  columns: 104,
  columnSize: 24,
} as const
export const Callback = { callback: 20, thread: 24, count: 36, arguments: 40 } as const
export const Return = { size: 24, result: 16 } as const
export const ROW_FAILURE_SIZE = 16
/** An exception of the bridge's own: of the address, the low half is what a routine took off the stack, the high half what is declared. */
export const EXCEPTION_UNBALANCED = 0xe05a4253

/** Texts that a routine left: the size of the whole, then a record for each (offset and length in bytes), then what they say. */
export const Texts = { size: 0, records: 4, recordSize: 8, unreadable: 0xffffffff } as const
/** How DECLARE says what a text is. */
export const TextForm = { wide: 1, inStructure: 2 } as const

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
