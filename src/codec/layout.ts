/** The numbers of docs/wire.md, for Node. A test compares them with the other sides'. */
export const WIRE_VERSION = 1
export const MAGIC = 0x3152425a

export const CONTROL_SIZE = 0x1000
export const STRANDS = 16
export const STRAND_OFFSET = 0x1000
export const STRAND_SIZE = 0x1000
/** Second half of a mailbox: Node to host. */
export const STRAND_TO_HOST = 0x800
export const MAILBOX_ROOM = 0x800 - 16
export const SLOTS = 1024
export const REQUEST_OFFSET = 0x20000
export const REQUEST_SIZE = 256
export const REPLY_OFFSET = 0x60000
export const REPLY_SIZE = 64
export const NODE_OFFSET = 0x70000
export const ARENA_OFFSET = 0x80000

/** Control block, as byte offsets. */
export const Word = {
  magic: 0x0,
  version: 0x4,
  segmentSize: 0x8,
  requestHead: 0x40,
  nodeSleeps: 0x80,
  lookLimit: 0x84,
  keepApart: 0x88,
  replyHead: 0xc0,
  hostSleeps: 0xc4,
  hostState: 0xc8,
  running: 0xcc,
  runningRow: 0xd0,
  runningNested: 0xd4,
  strandPosts: 0x100,
  strandSleeps: 0x140,
  nodePosts: 0x180,
} as const

/**
 * Memory of the host's, piece by piece (byte offsets): a request of Node's at `offset`, with the fields behind it counted from there,
 * the answer, and what is copied.
 */
export const Window = {
  offset: 0x11000,
  op: 4,
  address: 8,
  rest: 16,
  size: 24,
  requestSize: 32,
  answer: 0x11040,
  data: 0x12000,
  room: 0xe000,
} as const
/** What Node asks for there. */
export const MemoryOp = { read: 1, write: 2 } as const

/** What a slot or a mailbox holds. */
export const Kind = { call: 1, batch: 2, control: 3, return: 4, callback: 5, reply: 6, outcome: 7 } as const

/** Flags of a request slot's header. */
export const SlotFlag = { messageInArena: 1, imageInSlot: 2 } as const

/** `Reply.status`. */
export const Status = { done: 0, exception: 1, refused: 2, undeclared: 3, callbackFailed: 4, unloaded: 5 } as const
/** `Reply.code` where the status is `refused`. */
export const Refusal = { noRoutine: 1, malformed: 2, argumentCount: 3, outOfMemory: 4 } as const

/** Offsets of a message inside a slot or mailbox. */
export const MESSAGE = 16
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
  serveMemory: 11,
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
