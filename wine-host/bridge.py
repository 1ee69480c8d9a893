"""The native bridge (native/bridge-win64.dll, native/bridge-win32.dll), which runs the main loop and enters Python
for Control messages alone; and the memory and the bells that this process shares with Node."""

import ctypes
import msvcrt
import os
import sys

import wire
from control import PAGE_READWRITE, VERSION, k32

FILE_MAP_WRITE = 2
k32.CreateFileMappingW.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint32] * 3, ctypes.c_void_p]
k32.CreateFileMappingW.restype = ctypes.c_void_p
k32.MapViewOfFile.argtypes = [ctypes.c_void_p, *[ctypes.c_uint32] * 3, ctypes.c_size_t]
k32.MapViewOfFile.restype = ctypes.c_void_p

CONTROL_EXIT = 0x40000000
CONTROL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)


class Context(ctypes.Structure):
    """struct zb_context of native/bridge.h."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("wire_version", ctypes.c_uint32),
        ("segment", ctypes.c_void_p),
        ("segment_size", ctypes.c_uint64),
        ("host_bell", ctypes.c_void_p),
        ("strands_bell", ctypes.c_void_p),
        ("control", CONTROL),
        ("errno_location", ctypes.c_void_p),
    ]


class Import(ctypes.Structure):
    """struct zb_import of native/bridge.h."""

    _fields_ = [
        ("module", ctypes.c_uint64),
        ("dll", ctypes.c_char_p),
        ("routine", ctypes.c_char_p),
        ("ordinal", ctypes.c_uint32),
    ]


NUMBER, ADDRESS, TEXT = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p
# The functions of native/bridge.h that are called by their prototypes: result first, then arguments.
FUNCTIONS = {
    "zb_init": (ctypes.c_int32, ctypes.POINTER(Context)),
    "zb_serve": (ctypes.c_int32,),
    "zb_leave": (None, ctypes.c_void_p, ctypes.c_int32),
    "zb_watch": (None,),
    "zb_routine": (ctypes.c_int32, NUMBER, ADDRESS, NUMBER, NUMBER, TEXT, NUMBER),
    "zb_texts": (ctypes.c_int32, NUMBER, ctypes.POINTER(ctypes.c_int64), NUMBER),
    "zb_free_texts": (ctypes.c_int32, ADDRESS),
    "zb_undeclared": (ctypes.c_int32, NUMBER),
    "zb_release": (ctypes.c_int32, NUMBER),
    "zb_unmet_import": (ctypes.c_int32, ADDRESS, ctypes.POINTER(Import)),
    "zb_missed_stub": (ADDRESS,),
    "zb_thunk": (ADDRESS, NUMBER, NUMBER, NUMBER, TEXT, NUMBER),
    "zb_free_thunk": (ctypes.c_int32, NUMBER),
    "zb_get_last_error": (NUMBER,),
    "zb_set_last_error": (None, NUMBER),
    "zb_get_errno": (ctypes.c_int32,),
    "zb_set_errno": (None, ctypes.c_int32),
    "zb_get_system_error": (NUMBER,),
}


def _open(pid, fd, flags):
    """Opens what a Unix process has open under a descriptor, even if it has no name."""
    return os.open(rf"Z:\proc\{pid}\fd\{fd}", flags | os.O_BINARY)


def _map(file, size):
    """Maps the file and gives its address. The module mmap does the same, but takes long to load under Wine."""
    mapping = k32.CreateFileMappingW(msvcrt.get_osfhandle(file), None, PAGE_READWRITE, 0, 0, None)
    address = mapping and k32.MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, size)
    if not address:
        raise SystemExit(f"zugbruecke: the segment of {size} bytes cannot be mapped: is there so much address space?")
    return address


class Segment:
    def __init__(self, pid, file, host_bell, strands_bell):
        file = _open(pid, file, os.O_RDWR)
        head = os.read(file, 12)
        self.size = int.from_bytes(head[8:12], "little")
        if int.from_bytes(head[:4], "little") != wire.MAGIC or self.size <= wire.ARENA_OFFSET:
            raise SystemExit("zugbruecke: what Node shares is not a segment")
        self.base = _map(file, self.size)
        self.host_bell, self.strands_bell = (
            msvcrt.get_osfhandle(_open(pid, bell, os.O_RDONLY)) for bell in (host_bell, strands_bell)
        )


class Bridge:
    def __init__(self, segment, control):
        name = "bridge-win64.dll" if sys.maxsize > 2**32 else "bridge-win32.dll"
        self.dll = dll = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), "native", name))
        dll.zb_version.restype = TEXT
        self.version = dll.zb_version().decode()
        if self.version.split()[0] != VERSION or dll.zb_context_size() != ctypes.sizeof(Context):
            raise SystemExit(
                f"zugbruecke: the native bridge is zugbruecke {self.version}, the host beside it is {VERSION}: install the package again"
            )
        # all looked up now: a look-up takes the loader's lock, and a DLL that hangs while it is loaded never gives that
        # back
        for name, (result, *arguments) in FUNCTIONS.items():
            function = getattr(dll, name)
            function.restype, function.argtypes = result, arguments
        self.control = control
        self.handler = CONTROL(self._control)
        runtime = ctypes.CDLL("ucrtbase")
        self.context = Context(
            size=ctypes.sizeof(Context),
            wire_version=wire.WIRE_VERSION,
            segment=segment.base,
            segment_size=segment.size,
            host_bell=segment.host_bell,
            strands_bell=segment.strands_bell,
            control=self.handler,
            errno_location=ctypes.cast(runtime._errno, ctypes.c_void_p),
        )

    def _control(self, message, length, out, capacity):
        """Carries out a Control message for the bridge. Whatever goes wrong is an outcome, never an exception."""
        data = memoryview((ctypes.c_uint8 * length).from_address(message)).cast("B")
        outcome = self.control.run(data, capacity)
        if len(outcome) > capacity:
            return 0
        ctypes.memmove(out, outcome, len(outcome))
        return len(outcome) | (CONTROL_EXIT if self.control.leaving else 0)

    def begin(self):
        """Initializes the bridge. To be called on the thread that is to serve."""
        self._check(self.dll.zb_init(ctypes.byref(self.context)))

    def serve(self):
        """Runs the main loop until the session ends."""
        self._check(self.dll.zb_serve())

    def _check(self, result):
        if result != 0:
            raise SystemExit(f"zugbruecke: the native bridge stopped ({result})")

    def routine(self, number, address, convention, flags, signature, result, texts):
        code = self.dll.zb_routine(number, address, convention, flags, signature.encode(), ord(result))
        if code == 0 and texts:
            code = self.dll.zb_texts(number, (ctypes.c_int64 * len(texts))(*texts), len(texts) // 3)
        if code < 0:
            raise ValueError(f"the native bridge takes no routine with the signature {signature!r} ({code})")

    def unmet_import(self, module):
        """What a module imports and nothing exports, as (module that needs it, DLL, routine or ordinal); None if
        there is nothing."""
        unmet = Import()
        try:
            found = self.dll.zb_unmet_import(module, ctypes.byref(unmet))
        except OSError:  # the module has made its own tables unreadable
            return None
        return (
            (unmet.module, unmet.dll.decode("latin-1"), (unmet.routine or b"").decode("latin-1") or unmet.ordinal)
            if found
            else None
        )

    def missed_stub(self):
        """The routine that a DLL has called since the last time and that Wine lacks; None if there is none."""
        address = self.dll.zb_missed_stub()
        return ctypes.string_at(address).decode("latin-1") if address else None

    def make_thunk(self, number, convention, flags, signature, result):
        address = self.dll.zb_thunk(number, convention, flags, signature.encode(), ord(result))
        if not address:
            raise ValueError(f"the native bridge makes no callback with the signature {signature!r}")
        return address
