"""The numbers of docs/wire.md, and the few readers and writers of FlatBuffers that the host needs (standard library only)."""

import struct

WIRE_VERSION = 2
MAGIC = 0x3152425A

STRANDS = 32
STRAND_OFFSET = 0x1000
STRAND_SIZE = 0x1000
STRAND_TO_HOST = 0x800
MAILBOX_ROOM = 0x800 - 16
ARENA_OFFSET = 0x300000
MESSAGE = 16

CALL, BATCH, CONTROL, RETURN, CALLBACK, REPLY, OUTCOME = 1, 2, 3, 4, 5, 6, 7
IN_ARENA = 1
MEMORY_READ, MEMORY_WRITE = 1, 2

DONE, EXCEPTION, REFUSED, UNDECLARED, UNLOADED = 0, 1, 2, 3, 5
NO_ROUTINE, MALFORMED, ARGUMENT_COUNT, NEEDS_BRIDGE, OUT_OF_MEMORY = 1, 2, 3, 4, 5

# canonical tables: what is constant in front of the values
CALL_HEAD = struct.pack("<I6HiI", 16, 12, 24, 8, 16, 20, 4, 12, 24)
REPLY_HEAD = struct.pack("<I8Hi", 20, 16, 36, 4, 8, 12, 16, 20, 28, 16)
BATCH_HEAD = struct.pack(
    "<I14HiI", 32, 28, 68, 8, 16, 20, 24, 28, 32, 40, 48, 56, 60, 4, 64, 28, 64
)
CALLBACK_HEAD = struct.pack("<I5H2xi", 16, 10, 16, 4, 8, 12, 12)
RETURN_HEAD = struct.pack("<I3H2xi", 12, 6, 12, 4, 8)

CALL_VALUES = struct.Struct("<QII4xI")  # at 24: texts, routine, text_room, count
CALL_ARGUMENTS = 48
REPLY_VALUES = struct.Struct("<IIIiQQ")  # at 24: status, code, last_error, errno, texts, result
REPLY_LENGTH = 56
BATCH_VALUES = struct.Struct("<QIIIIQQQIIII")  # at 40
BATCH_COLUMNS = 104
COLUMN = struct.Struct("<QqQ")
WINDOW_VALUES = struct.Struct("<IIQQI4x")  # number, operation, address, all that is wanted from there on, size of this piece
ROW_FAILURE = struct.Struct("<IIQ")
TEXT_RECORD = struct.Struct("<II")  # offset and length; the records begin behind the size of the whole
TEXTS_RECORDS, TEXTS_UNREADABLE = 4, 0xFFFFFFFF
TEXT_WIDE, TEXT_IN_STRUCTURE = 1, 2

# how a kind lies in the 8 bytes of an argument or result, and in a column
FORMATS = {
    "b": "b7x", "B": "B7x", "h": "h6x", "H": "H6x", "i": "i4x", "I": "I4x", "q": "q", "Q": "Q",
    "f": "f4x", "d": "d", "?": "B7x", "c": "B7x", "u": "H6x", "p": "Q",
}  # fmt: skip
COLUMN_FORMATS = {
    "b": "<b", "B": "<B", "h": "<h", "H": "<H", "i": "<i", "I": "<I", "q": "<q", "Q": "<Q",
    "f": "<f", "d": "<d", "?": "<B", "c": "<B", "u": "<H", "p": "<Q" if struct.calcsize("P") == 8 else "<I",
}  # fmt: skip
RESULT_FORMATS = {
    "b": "<q", "h": "<q", "i": "<q", "q": "<q", "B": "<Q", "H": "<Q", "I": "<Q", "Q": "<Q",
    "f": "<f4x", "d": "<d", "?": "<Q", "c": "<Q", "u": "<Q", "p": "<Q",
}  # fmt: skip


def split_signature(signature):
    """Kinds of a signature: single characters, and `{n}` for a structure of n bytes by value."""
    kinds, at = [], 0
    while at < len(signature):
        end = signature.index("}", at) + 1 if signature[at] == "{" else at + 1
        kinds.append(signature[at:end])
        at = end
    return kinds


def stack_size(signature):
    """Bytes that the arguments take on the stack of a 32-bit process."""
    return sum((_size_of(kind) + 3) & ~3 for kind in split_signature(signature))


def _size_of(kind):
    return int(kind[1:-1]) if kind[0] == "{" else 8 if kind in "qQd" else 4


def reply(values):
    """A Reply message from (status, code, last_error, errno, texts, result)."""
    return REPLY_HEAD + REPLY_VALUES.pack(*values)


def callback_message(number, thread, payload):
    count = len(payload) // 8
    return CALLBACK_HEAD + struct.pack("<IIIII", number, thread, 8, 0, count) + payload


class Malformed(Exception):
    """A message whose offsets lead outside."""


class Table:
    """A FlatBuffers table; every access is checked against the end of the message."""

    def __init__(self, data):
        self.data = data
        self.at = self._u32(0)
        self.vtable = self.at - self._i32(self.at)
        if self.vtable < 0:
            raise Malformed("vtable")
        self.vtable_size = self._u16(self.vtable)

    def _get(self, form, at):
        size = struct.calcsize(form)
        if at < 0 or at + size > len(self.data):
            raise Malformed(f"offset {at}")
        return struct.unpack_from(form, self.data, at)[0]

    def _u16(self, at):
        return self._get("<H", at)

    def _u32(self, at):
        return self._get("<I", at)

    def _i32(self, at):
        return self._get("<i", at)

    def _field(self, index):
        slot = 4 + 2 * index
        if slot + 2 > self.vtable_size:
            return 0
        offset = self._u16(self.vtable + slot)
        return self.at + offset if offset else 0

    def scalar(self, index, form, default=0):
        at = self._field(index)
        return self._get(form, at) if at else default

    def _vector(self, index):
        at = self._field(index)
        if not at:
            return 0, 0
        start = at + self._u32(at)
        return start + 4, self._u32(start)

    def numbers(self, index):
        start, count = self._vector(index)
        if count * 8 > len(self.data):
            raise Malformed("vector")
        return [self._get("<q", start + 8 * i) for i in range(count)]

    def texts(self, index):
        start, count = self._vector(index)
        if count * 4 > len(self.data):
            raise Malformed("vector")
        out = []
        for i in range(count):
            at = start + 4 * i
            text = at + self._u32(at)
            size = self._u32(text)
            if text + 4 + size > len(self.data):
                raise Malformed("string")
            out.append(bytes(self.data[text + 4 : text + 4 + size]).decode("utf-8", "surrogatepass"))
        return out


def outcome(ok, numbers=(), texts=(), room=4096):
    """An Outcome table. Texts are shortened, the longest first, until it fits into `room` bytes."""
    raw = [t.encode("utf-8", "replace") for t in texts]
    fixed = 64 + 8 * len(numbers) + 16 * len(raw)
    while raw and fixed + sum(map(len, raw)) > room:
        longest = max(range(len(raw)), key=lambda i: len(raw[i]))
        if not raw[longest]:
            break  # nothing left to shorten
        keep = max(0, len(raw[longest]) - max(64, fixed + sum(map(len, raw)) - room))
        raw[longest] = raw[longest][:keep].decode("utf-8", "ignore").encode()
    # root, vtable (3 fields), table: soffset, numbers, texts, ok
    head = struct.pack("<I5H2x", 16, 10, 16, 12, 4, 8)
    numbers_at = 36  # the vector's length; its elements follow, 8-aligned
    texts_at = numbers_at + 4 + 8 * len(numbers)
    table = struct.pack("<iIIB3x", 12, numbers_at - 20, texts_at - 24, 1 if ok else 0)
    out = bytearray(head + table + b"\0" * 4)
    out += struct.pack("<I", len(numbers)) + struct.pack(f"<{len(numbers)}q", *map(_signed, numbers))
    at = texts_at + 4 + 4 * len(raw)
    offsets, body = [], bytearray()
    for i, text in enumerate(raw):
        offsets.append(at + len(body) - (texts_at + 4 + 4 * i))
        body += struct.pack("<I", len(text)) + text + b"\0"
        body += b"\0" * (-len(body) % 4)
    out += struct.pack("<I", len(raw)) + struct.pack(f"<{len(raw)}I", *offsets) + body
    if len(out) > room and (ok or numbers or len(texts) > 2):
        return outcome(False, [], ["Internal", f"an outcome of {len(out)} bytes does not fit into {room}"], room)
    return bytes(out)


def _signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value
