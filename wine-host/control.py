"""Control operations: everything that is not a call. Each is a method named after its operation in docs/wire.md."""

import ctypes
import os
import sys

import wire

VERSION = "0.1.0"
k32 = ctypes.WinDLL("kernel32", use_last_error=True)
k32.LoadLibraryExW.argtypes = [ctypes.c_wchar_p, ctypes.c_void_p, ctypes.c_uint32]
k32.LoadLibraryExW.restype = ctypes.c_void_p
k32.GetProcAddress.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
k32.GetProcAddress.restype = ctypes.c_void_p
k32.GetModuleFileNameW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32]
k32.FreeLibrary.argtypes = [ctypes.c_void_p]
k32.AddDllDirectory.argtypes = [ctypes.c_wchar_p]
k32.AddDllDirectory.restype = ctypes.c_void_p
k32.RemoveDllDirectory.argtypes = [ctypes.c_void_p]
k32.VirtualAlloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_uint32]
k32.VirtualAlloc.restype = ctypes.c_void_p
k32.VirtualFree.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32]
k32.GetModuleHandleW.restype = ctypes.c_void_p

MEM_COMMIT_RESERVE, MEM_RELEASE, PAGE_READWRITE = 0x3000, 0x8000, 4
LOAD_WITH_ALTERED_SEARCH_PATH = 8
# stands behind the DOS header of Wine's own DLLs
WINES_MARK = b"Wine builtin DLL"
# flags of LoadLibraryEx: search the default folders and those of AddDllDirectory; and the folder of the DLL itself
SEARCH_DEFAULT_DIRECTORIES, SEARCH_LOAD_DIRECTORY = 0x1000, 0x100
BEGAN_IN = os.getcwd()
POINTER_SIZE = ctypes.sizeof(ctypes.c_void_p)
ERROR_BAD_EXE_FORMAT, ERROR_MOD_NOT_FOUND, ERROR_PROC_NOT_FOUND = 193, 126, 127
# allocations up to this size share pages: VirtualAlloc gives 64 KiB at the least
SMALL = 4096


class Failure(Exception):
    """An operation that failed: `kind` is one of docs/wire.md."""

    def __init__(self, kind, message, code=0):
        super().__init__(message)
        self.kind = kind
        self.code = code


class Control:
    def __init__(self, segment):
        self.segment = segment
        self.bridge = None  # main.py gives it one
        self.dlls = {}
        self.leaving = False
        self.allocations = {}
        self.operations = {op: getattr(self, name) for op, name in wire.OPERATIONS.items()}

    def run(self, message, room):
        """The Outcome of a Control message, at most `room` bytes."""
        try:
            table = wire.Table(message)
            op = table.scalar(wire.CONTROL_FIELD_OP, "<B")
            operation = self.operations.get(op)
            if operation is None:
                raise Failure("Internal", f"there is no operation {op}")
            numbers, texts = operation(table.numbers(wire.CONTROL_FIELD_NUMBERS), table.texts(wire.CONTROL_FIELD_TEXTS))
            return wire.outcome(True, numbers, texts, room)
        except Failure as failure:
            return wire.outcome(False, [failure.code], [failure.kind, str(failure)], room)
        except wire.Malformed as error:
            return wire.outcome(False, [0], ["Internal", f"malformed message: {error}"], room)
        except Exception as error:  # whatever it is, Node has to know
            return wire.outcome(False, [0], ["Internal", f"{type(error).__name__}: {error}"], room)

    def hello(self, numbers, texts):
        version, *variables = texts
        if numbers[0] != wire.WIRE_VERSION or version != VERSION:
            raise Failure(
                "Version",
                f"Node's half is zugbruecke {version} (wire {numbers[0]}), the Windows half is {VERSION} (wire {wire.WIRE_VERSION})",
            )
        set_variables(variables)
        windows = sys.getwindowsversion()
        return (
            [wire.WIRE_VERSION, os.getpid(), POINTER_SIZE, self.segment.base, windows.major, windows.minor, windows.build],
            [sys.version.split()[0], VERSION, self.bridge.version, os.getcwd()],
        )

    def load(self, numbers, texts):
        number, mode = numbers
        name = texts[0]
        self.bridge.missed_stub()
        handle, code = load_library(name, mode)
        missed = not handle and self.bridge.missed_stub()
        if missed:
            raise Failure(
                "DllNotFound", f"{name} needs {missed} while it is loaded, and Wine has none: a newer Wine may have it", code
            )
        if not handle:
            import loading

            loading.refuse(name, code)
        unmet = self.bridge.unmet_import(handle)
        if unmet or is_wines(handle) and is_path(name):
            import loading

            try:
                handle = loading.check(name, mode, handle, unmet)
            except Failure:
                k32.FreeLibrary(handle)
                raise
        self.dlls[number] = handle
        return [handle], [module_path(handle) or name]

    def add_dll_directory(self, numbers, texts):
        cookie = k32.AddDllDirectory(texts[0])
        if not cookie:
            code = ctypes.get_last_error()
            raise Failure("Argument", f"{texts[0]}: {ctypes.FormatError(code).strip()}", code)
        return [cookie], []

    def remove_dll_directory(self, numbers, texts):
        if not k32.RemoveDllDirectory(numbers[0]):
            raise Failure("Argument", "that folder is not searched any more")
        return [], []

    def unload(self, numbers, texts):
        handle = self.dlls.pop(numbers[0], None)
        if handle is None:
            raise Failure("Argument", "that DLL is not loaded")
        k32.FreeLibrary(handle)
        return [], []

    def declare(self, numbers, texts):
        number, dll, convention, flags, ordinal, *texts_left = numbers
        name, signature, result = texts
        try:
            address = ordinal if dll < 0 else self._routine_address(dll, name, ordinal, convention, flags, signature)
            self.bridge.routine(number, address, convention, flags, signature, result, texts_left)
        except Exception:
            # calls of the number say that it was not declared
            self.bridge.dll.zb_undeclared(number)
            raise
        return [address], []

    def release(self, numbers, texts):
        self.bridge.dll.zb_release(numbers[0])
        return [], []

    def symbol(self, numbers, texts):
        return [self._address(numbers[0], texts[0], numbers[1])], []

    def thunk(self, numbers, texts):
        number, convention, flags = numbers
        return [self.bridge.make_thunk(number, convention, flags, texts[0], texts[1])], []

    def free_thunk(self, numbers, texts):
        self.bridge.dll.zb_free_thunk(numbers[0])
        return [], []

    def alloc(self, numbers, texts):
        size = max(1, numbers[0])
        if size <= SMALL:
            data = ctypes.create_string_buffer(size + 16)
            address = (ctypes.addressof(data) + 15) & ~15
            self.allocations[address] = data
            return [address], []
        address = k32.VirtualAlloc(None, size, MEM_COMMIT_RESERVE, PAGE_READWRITE)
        if not address:
            raise Failure("Memory", f"no {size} bytes to be had in the Windows process", ctypes.get_last_error())
        self.allocations[address] = None
        return [address], []

    def free(self, numbers, texts):
        address = numbers[0]
        if address not in self.allocations:
            raise Failure("Argument", f"{address:#x} was not allocated by this session, or is freed already")
        if self.allocations.pop(address) is None:
            k32.VirtualFree(address, 0, MEM_RELEASE)
        return [], []

    def free_texts(self, numbers, texts):
        for address in numbers:
            self.bridge.dll.zb_free_texts(address)
        return [], []

    def set_last_error(self, numbers, texts):
        if numbers[0] >= 0:
            self.bridge.dll.zb_set_last_error(numbers[0])
        if numbers[1] >= 0:
            self.bridge.dll.zb_set_errno(numbers[1])
        return [], []

    def get_last_error(self, numbers, texts):
        bridge = self.bridge.dll
        return [bridge.zb_get_last_error(), bridge.zb_get_errno(), bridge.zb_get_system_error()], []

    def format_error(self, numbers, texts):
        # GetLastError() would give what the host's own work has left
        code = ctypes.c_int32(numbers[0] if numbers else self.bridge.dll.zb_get_system_error()).value
        return [code], [ctypes.FormatError(code).strip()]

    def find_library(self, numbers, texts):
        import ctypes.util  # imported here: it takes a tenth of a second under Wine

        found = ctypes.util.find_library(texts[0])
        return [1 if found else 0], [found or ""]

    def find_msvcrt(self, numbers, texts):
        import ctypes.util

        found = ctypes.util.find_msvcrt()
        return [1 if found else 0], [found or ""]

    def path(self, numbers, texts):
        import paths

        return [], [paths.to_windows(texts[0]) if numbers[0] == 0 else paths.to_unix(texts[0])]

    def exit(self, numbers, texts):
        self.leaving = True
        return [], []

    def _handle(self, number):
        handle = self.dlls.get(number)
        if handle is None:
            raise Failure("DllNotFound", "the DLL could not be loaded")
        return handle

    def _address(self, dll, name, ordinal):
        address = k32.GetProcAddress(self._handle(dll), ordinal if ordinal >= 0 else _narrow(name))
        if not address:
            raise Failure("RoutineNotFound", f"#{ordinal}" if ordinal >= 0 else name, ERROR_PROC_NOT_FOUND)
        return address

    def _routine_address(self, dll, name, ordinal, convention, flags, signature):
        """The address of a routine, also under the names that 32-bit compilers make of `add`: `add@8` or `_add@8` for
        stdcall, `@add@8` for fastcall, `_add` for others."""
        try:
            return self._address(dll, name, ordinal)
        except Failure:
            if ordinal >= 0 or POINTER_SIZE == 8:
                raise
            size = wire.stack_size(signature) - (POINTER_SIZE if flags & wire.ROUTINE_RESULT_BY_ADDRESS else 0)
            names = {
                wire.CONVENTION_STDCALL: [f"{name}@{size}", f"_{name}@{size}"],
                wire.CONVENTION_FASTCALL: [f"@{name}@{size}"],
            }.get(convention, [f"_{name}"])
            address = next(filter(None, (k32.GetProcAddress(self._handle(dll), _narrow(other)) for other in names)), None)
            if not address:
                raise
            return address


def module_path(handle):
    buffer = ctypes.create_unicode_buffer(32768)
    k32.GetModuleFileNameW(handle, buffer, len(buffer))
    return buffer.value


def is_path(name):
    return "\\" in name or "/" in name


def searches(name):
    """Names and modes to look for a DLL with, in order: as Windows searches by itself, then in folders of
    AddDllDirectory, and last in the folder in which the session began, for a DLL may have changed the working
    folder."""
    where_it_began = os.path.join(BEGAN_IN, name), LOAD_WITH_ALTERED_SEARCH_PATH
    if is_path(name):
        return (name, LOAD_WITH_ALTERED_SEARCH_PATH), (name, SEARCH_DEFAULT_DIRECTORIES | SEARCH_LOAD_DIRECTORY), where_it_began
    return (name, 0), (name, SEARCH_DEFAULT_DIRECTORIES), where_it_began


def load_library(name, mode):
    """The module and 0, or None and the error. With a mode below 0 the names of `searches` are tried."""
    ctypes.set_last_error(0)
    if mode >= 0:
        return k32.LoadLibraryExW(name, None, mode), ctypes.get_last_error()
    (_, flags), *others = searches(name)
    handle = k32.LoadLibraryExW(name, None, flags)
    code = ctypes.get_last_error()
    if not handle and code == ERROR_MOD_NOT_FOUND:
        handle = next(filter(None, (k32.LoadLibraryExW(path, None, flags) for path, flags in others)), None)
    return handle, code


def is_wines(handle):
    """Whether a module is one of Wine's own DLLs. The low bits of a handle are set where it is loaded as data, which
    counts as no."""
    return not handle & 3 and ctypes.string_at(handle + 0x40, len(WINES_MARK)) == WINES_MARK


def set_variables(pairs):
    """Environment variables for the DLLs to come, in Windows and in the C runtimes, which have copies of their own."""
    old_runtime = ctypes.CDLL("msvcrt")  # loaded already, by the bridge
    for name, value in zip(pairs[::2], pairs[1::2], strict=True):
        if value:
            os.putenv(name, value)
            old_runtime._wputenv(f"{name}={value}")
        k32.SetEnvironmentVariableW(name, value)  # also where the value is empty, which a runtime takes for none


def _narrow(name):
    return name.encode("latin-1", "replace")
