"""DLLs and routines by the numbers that Node gave them, and the carrying out of calls in pure ctypes."""

import _thread
import ctypes
import struct

import wire
from segment import MEM_COMMIT, query_memory

C_TYPES = {
    "b": ctypes.c_int8, "B": ctypes.c_uint8, "h": ctypes.c_int16, "H": ctypes.c_uint16,
    "i": ctypes.c_int32, "I": ctypes.c_uint32, "q": ctypes.c_int64, "Q": ctypes.c_uint64,
    "f": ctypes.c_float, "d": ctypes.c_double, "?": ctypes.c_uint8, "c": ctypes.c_uint8,
    "u": ctypes.c_uint16, "p": ctypes.c_size_t, "v": None,
}  # fmt: skip

# what ctypes says of a structured exception, and the exception's code (winnt.h)
EXCEPTIONS = {
    "access violation": 0xC0000005,
    "breakpoint": 0x80000003,
    "datatype misalignment": 0x80000002,
    "single step": 0x80000004,
    "array bounds": 0xC000008C,
    "floating-point operand denormal": 0xC000008D,
    "float divide by zero": 0xC000008E,
    "float inexact": 0xC000008F,
    "float invalid": 0xC0000090,
    "float overflow": 0xC0000091,
    "stack over/underflow": 0xC0000092,
    "float underflow": 0xC0000093,
    "integer divide by zero": 0xC0000094,
    "integer overflow": 0xC0000095,
    "privileged": 0xC0000096,
    "stack overflow": 0xC00000FD,
}
STACK_OVERFLOW = 0xC00000FD
UNKNOWN_ADDRESS = (1 << 64) - 1
POINTER_SIZE = ctypes.sizeof(ctypes.c_void_p)
POINTER_MASK = (1 << 8 * POINTER_SIZE) - 1


def exception_of(error):
    """Code and address of the structured exception that ctypes made an OSError of."""
    text = str(error)
    try:
        address = int(text.rpartition("0x")[2], 16) if "0x" in text else UNKNOWN_ADDRESS
    except ValueError:
        address = UNKNOWN_ADDRESS
    for words, code in EXCEPTIONS.items():
        if words in text:
            return code, address
    return (getattr(error, "winerror", 0) or 0) & 0xFFFFFFFF, UNKNOWN_ADDRESS


def c_type(kind):
    """What ctypes calls a kind of the wire; `{n}` is a structure of n bytes by value (win32)."""
    if kind[0] != "{":
        return C_TYPES[kind]
    return type("ByValue", (ctypes.Structure,), {"_fields_": [("data", ctypes.c_uint8 * int(kind[1:-1]))]})


class TooDeep(OSError):
    """A callback inside the routine was not begun, for the stack would not have borne it."""


def survived(error):
    """Code and address of a structured exception, once the thread is fit to go on."""
    if isinstance(error, TooDeep):
        return STACK_OVERFLOW, UNKNOWN_ADDRESS
    code, address = exception_of(error)
    if code == STACK_OVERFLOW:
        ctypes.cdll.msvcrt._resetstkoflw()
    return code, address


class Routine:
    """An address with a signature. Not changed after it was made."""

    def __init__(self, address, convention, flags, signature, result, texts):
        self.address = address
        self.flags = flags
        self.signature = signature
        kinds = wire.split_signature(signature)
        self.count = len(kinds)
        self.result_kind = result
        # of each text: the number of the argument that its pointer lies behind (-1: in the result), how far, and its form
        self.texts = [texts[i : i + 3] for i in range(0, len(texts), 3)]
        types = [c_type(kind) for kind in kinds]
        self.structures = {i: made for i, made in enumerate(types) if issubclass(made, ctypes.Structure)}
        self.unpack = struct.Struct("<" + "".join(wire.FORMATS.get(k, "Q") for k in kinds)).unpack_from
        self.pack = struct.Struct(wire.RESULT_FORMATS[result]).pack if result != "v" else None
        make = ctypes.WINFUNCTYPE if convention == 1 else ctypes.CFUNCTYPE
        # ctypes takes the last error before anything else can change it: also for routines that do not ask for their own copy
        prototype = make(C_TYPES[result], *types, use_errno=bool(flags & 2), use_last_error=True)
        self.function = prototype(address)

    def texts_of(self, bits, arguments):
        """The bytes of the texts that a call has left; None for NULL, False for what a structure has that is none. Raises OSError."""
        taken = []
        for source, offset, form in self.texts:
            try:
                if source < 0:
                    address = bits >> 8 * offset & POINTER_MASK
                else:
                    address = ctypes.c_size_t.from_buffer_copy(ctypes.string_at(arguments[source] + offset, POINTER_SIZE)).value
                if not address:
                    taken.append(None)
                elif form & wire.TEXT_WIDE:
                    taken.append(ctypes.wstring_at(address).encode("utf-16-le", "surrogatepass"))
                else:
                    taken.append(ctypes.string_at(address))
            except OSError:
                if not form & wire.TEXT_IN_STRUCTURE:
                    raise
                taken.append(False)
        return taken

    def result_bits(self, result):
        """As docs/wire.md has them in a Reply."""
        if self.pack is None:
            return 0
        if self.result_kind == "?":
            result = 1 if result else 0
        return int.from_bytes(self.pack(result), "little")


class Routines:
    def __init__(self, segment):
        self.segment = segment
        self.table = {}  # a Routine, or the status that its calls are answered with
        self.texts = {}  # blocks of texts that Node has not had freed, by their addresses
        self.refused = _thread._local()  # .callback: a callback inside the routine that runs was not begun
        self.own = _thread._local()  # .system_error: GetLastError() of the thread's routines, which our work must not show in

    def declare(self, number, *declaration):
        self.table[number] = Routine(*declaration)

    def undeclared(self, number):
        self.table[number] = wire.UNDECLARED

    def forget_unloaded(self):
        """Routines whose memory has gone: another DLL may lie there soon."""
        for number, routine in self.table.items():
            if isinstance(routine, Routine) and query_memory(routine.address).state != MEM_COMMIT:
                self.table[number] = wire.UNLOADED

    def release(self, number):
        self.table.pop(number, None)

    def system_error(self):
        """With a sign, as ctypes has it."""
        return getattr(self.own, "system_error", 0)

    def free_texts(self, address):
        self.texts.pop(address, None)

    def _give_texts(self, routine, taken):
        """The address of a block with the texts of some rows, 0 if the routine leaves none."""
        if not routine.texts:
            return 0
        at = wire.TEXTS_RECORDS + wire.TEXT_RECORD.size * len(taken)
        records, body = [], bytearray()
        for text in taken:
            if text is None:
                records.append((0, 0))
            elif text is False:
                records.append((wire.TEXTS_UNREADABLE, 0))
            else:
                records.append((at + len(body), len(text)))
                body += text
        whole = struct.pack("<I", at + len(body)) + b"".join(wire.TEXT_RECORD.pack(*record) for record in records) + body
        data = (ctypes.c_uint8 * len(whole)).from_buffer_copy(whole)
        self.texts[ctypes.addressof(data)] = data
        return ctypes.addressof(data)

    def run_call(self, message):
        """(status, code, last_error, errno, texts, result) of a Call message."""
        if bytes(message[: len(wire.CALL_HEAD)]) != wire.CALL_HEAD or len(message) < wire.CALL_ARGUMENTS:
            return wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0
        _, number, _, count = wire.CALL_VALUES.unpack_from(message, 24)
        if len(message) < wire.CALL_ARGUMENTS + 8 * count:
            return wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0
        routine = self.table.get(number)
        if not isinstance(routine, Routine):
            return (routine, 0, 0, 0, 0, 0) if routine else (wire.REFUSED, wire.NO_ROUTINE, 0, 0, 0, 0)
        if count != routine.count:
            return wire.REFUSED, wire.ARGUMENT_COUNT, 0, 0, 0, 0
        try:
            arguments = list(routine.unpack(message, wire.CALL_ARGUMENTS))
            result = routine.result_bits(self._run(routine, arguments))
            texts = self._give_texts(routine, routine.texts_of(result, arguments))
        except OSError as error:
            code, address = survived(error)
            return wire.EXCEPTION, code, ctypes.get_last_error() & 0xFFFFFFFF, ctypes.get_errno(), 0, address
        return wire.DONE, 0, ctypes.get_last_error() & 0xFFFFFFFF, ctypes.get_errno(), texts, result

    def run_batch(self, message, running_row):
        if bytes(message[: len(wire.BATCH_HEAD)]) != wire.BATCH_HEAD or len(message) < wire.BATCH_COLUMNS:
            return wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0
        (_, number, flags, rows, stride, results, errors, last_errors, capacity, kind, _, count) = (
            wire.BATCH_VALUES.unpack_from(message, 40)
        )
        if len(message) < wire.BATCH_COLUMNS + 24 * count:
            return wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0
        routine = self.table.get(number)
        if not isinstance(routine, Routine):
            return (routine, 0, 0, 0, 0, 0) if routine else (wire.REFUSED, wire.NO_ROUTINE, 0, 0, 0, 0)
        if count != routine.count:
            return wire.REFUSED, wire.ARGUMENT_COUNT, 0, 0, 0, 0
        if not flags & 1:
            last_errors = 0
        if not errors:
            capacity = 0
        columns = [self._column(*wire.COLUMN.unpack_from(message, wire.BATCH_COLUMNS + 24 * i), rows) for i in range(count)]
        into = self._results(routine, results, stride, rows, kind)
        reachable = self.segment.reachable
        if (
            into is None
            or any(c is None for c in columns)
            or not reachable(errors, wire.ROW_FAILURE.size * capacity, writable=True)
            or last_errors and not reachable(last_errors, 4 * rows, writable=True)
        ):
            return wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0
        failures = 0
        done = 0
        texts = []
        for row in range(rows):
            running_row(row)
            arguments = [c(row) for c in columns]
            try:
                result = self._run(routine, arguments)
                into(row, result)
                texts += routine.texts_of(routine.result_bits(result), arguments)
            except OSError as error:
                if failures >= capacity:
                    break
                record = wire.ROW_FAILURE.pack(row, *survived(error))
                ctypes.memmove(errors + wire.ROW_FAILURE.size * failures, record, len(record))
                into(row, 0)
                texts += [None] * len(routine.texts)
                failures += 1
            if last_errors:
                ctypes.c_uint32.from_address(last_errors + 4 * row).value = ctypes.get_last_error() & 0xFFFFFFFF
            done = row + 1
            if failures and failures >= capacity:
                break
        return wire.DONE, failures, ctypes.get_last_error() & 0xFFFFFFFF, ctypes.get_errno(), self._give_texts(routine, texts), done

    def _run(self, routine, arguments):
        """Result of one call. OSError for a structured exception."""
        for i, by_value in routine.structures.items():
            if not self.segment.reachable(arguments[i], ctypes.sizeof(by_value)):
                raise OSError("exception: access violation")
            arguments[i] = by_value.from_address(arguments[i])
        keeps = routine.flags & 1
        if not keeps:
            kept = ctypes.set_last_error(self.system_error())
        try:
            result = routine.function(*arguments)
        except OSError:
            self.refused.callback = False
            raise
        finally:
            if not keeps:
                self.own.system_error = ctypes.set_last_error(kept)
        if getattr(self.refused, "callback", False):
            self.refused.callback = False
            raise TooDeep
        return result

    def _column(self, pointer, stride, kind, rows):
        """A function from row to argument; None for a column that is not as it must be."""
        kind = chr(kind) if kind < 128 else ""
        if kind == "&":
            return lambda row: pointer + row * stride
        form = wire.COLUMN_FORMATS.get(kind)
        if form is None:
            return None
        if rows == 0:
            return lambda row: 0
        unpack = struct.Struct(form).unpack_from
        way = stride * (rows - 1)
        first, span = pointer + min(0, way), abs(way) + struct.calcsize(form)
        if not self.segment.reachable(first, span):
            return None
        data = (ctypes.c_uint8 * span).from_address(first)
        begin = pointer - first
        return lambda row: unpack(data, begin + row * stride)[0]

    def _results(self, routine, results, stride, rows, kind):
        """A function that stores a row's result; None where that may not be."""
        if not results:
            return lambda row, value: None
        if kind != ord(routine.result_kind):
            return None
        if kind == ord("v") or rows == 0:
            return lambda row, value: None
        form = struct.Struct(wire.COLUMN_FORMATS[routine.result_kind])
        span = stride * (rows - 1) + form.size
        if not self.segment.reachable(results, span, writable=True):
            return None
        data = (ctypes.c_uint8 * span).from_address(results)
        if routine.result_kind == "?":
            return lambda row, value: form.pack_into(data, row * stride, 1 if value else 0)
        return lambda row, value: form.pack_into(data, row * stride, value)
