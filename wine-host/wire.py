"""The numbers of docs/wire.md that the host needs beside its bridge, and a reader and a writer of FlatBuffers (standard library only)."""

import struct

# Made by `npm run generate` from schema/numbers.mjs.
# What the segment is, and how it is divided. Offsets and sizes in bytes.
WIRE_VERSION = 2
MAGIC = 0x3152425a
ARENA_OFFSET = 0x300000
# Flags of DECLARE.
ROUTINE_RESULT_BY_ADDRESS = 8
# Calling conventions, in DECLARE and THUNK. 64-bit Windows has one.
CONVENTION_STDCALL = 1
CONVENTION_FASTCALL = 3
# Operations of a Control message.
OP_HELLO = 1
OP_LOAD = 2
OP_UNLOAD = 3
OP_DECLARE = 4
OP_RELEASE = 5
OP_SYMBOL = 6
OP_THUNK = 7
OP_FREE_THUNK = 8
OP_ALLOC = 9
OP_FREE = 10
OP_FREE_TEXTS = 12
OP_SET_LAST_ERROR = 13
OP_GET_LAST_ERROR = 14
OP_FORMAT_ERROR = 15
OP_FIND_LIBRARY = 16
OP_FIND_MSVCRT = 17
OP_PATH = 18
OP_EXIT = 19
OP_ADD_DLL_DIRECTORY = 20
OP_REMOVE_DLL_DIRECTORY = 21
# Fields of the Control table, as indices into its vtable.
CONTROL_FIELD_OP = 0
CONTROL_FIELD_NUMBERS = 1
CONTROL_FIELD_TEXTS = 2
CONTROL_FIELD_ROOM = 3
CONTROL_FIELD_ROOM_SIZE = 4
# method of control.py for each operation
OPERATIONS = {
    OP_HELLO: "hello",
    OP_LOAD: "load",
    OP_UNLOAD: "unload",
    OP_DECLARE: "declare",
    OP_RELEASE: "release",
    OP_SYMBOL: "symbol",
    OP_THUNK: "thunk",
    OP_FREE_THUNK: "free_thunk",
    OP_ALLOC: "alloc",
    OP_FREE: "free",
    OP_FREE_TEXTS: "free_texts",
    OP_SET_LAST_ERROR: "set_last_error",
    OP_GET_LAST_ERROR: "get_last_error",
    OP_FORMAT_ERROR: "format_error",
    OP_FIND_LIBRARY: "find_library",
    OP_FIND_MSVCRT: "find_msvcrt",
    OP_PATH: "path",
    OP_EXIT: "exit",
    OP_ADD_DLL_DIRECTORY: "add_dll_directory",
    OP_REMOVE_DLL_DIRECTORY: "remove_dll_directory",
}
# End of what was made.


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


class Malformed(Exception):
    """A message with an offset that leads outside of it."""


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
