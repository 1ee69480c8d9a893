"""The shared file, mapped, and the doorbells. Everything here may be used from any thread of the host."""

import ctypes
import msvcrt
import os

import wire

PAGE_READWRITE, FILE_MAP_WRITE = 4, 2
MEM_COMMIT, PAGE_GUARD = 0x1000, 0x100
# read-write, write-copy, and both with execute; then the same without write
WRITABLE = 0x04 | 0x08 | 0x40 | 0x80
READABLE = WRITABLE | 0x02 | 0x20


def open_descriptor(pid, fd, flags):
    """Node opened the file and unlinked it; through its process it can still be had."""
    return os.open(rf"Z:\proc\{pid}\fd\{fd}", flags | os.O_BINARY)


def _map(handle, size):
    """Address of the file in this process. What the module mmap does, without the time that loading it takes under Wine."""
    kernel32 = ctypes.WinDLL("kernel32")
    kernel32.CreateFileMappingW.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint32] * 3, ctypes.c_void_p]
    kernel32.CreateFileMappingW.restype = ctypes.c_void_p
    kernel32.MapViewOfFile.argtypes = [ctypes.c_void_p, *[ctypes.c_uint32] * 3, ctypes.c_size_t]
    kernel32.MapViewOfFile.restype = ctypes.c_void_p
    mapping = kernel32.CreateFileMappingW(handle, None, PAGE_READWRITE, 0, 0, None)
    address = mapping and kernel32.MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, size)
    if not address:
        raise SystemExit(f"zugbruecke: the segment of {size} bytes cannot be mapped: is there so much address space?")
    return address


class MemoryInformation(ctypes.Structure):
    """MEMORY_BASIC_INFORMATION of winnt.h, without a field that lies in the padding of 64-bit ones."""

    _fields_ = [("base", ctypes.c_void_p), ("allocation", ctypes.c_void_p), ("allocation_protect", ctypes.c_uint32),
                ("size", ctypes.c_size_t), ("state", ctypes.c_uint32), ("protect", ctypes.c_uint32),
                ("type", ctypes.c_uint32)]  # fmt: skip


def query_memory(address):
    """What VirtualQuery says of an address; all zero where it says nothing."""
    information = MemoryInformation()
    ctypes.WinDLL("kernel32").VirtualQuery(
        ctypes.c_void_p(address), ctypes.byref(information), ctypes.c_size_t(ctypes.sizeof(information))
    )
    return information


class Segment:
    def __init__(self, pid, file, node_doorbell, idle_doorbell, strand_doorbells, memory_doorbell):
        self.pid = pid
        self.strand_numbers = strand_doorbells
        self.memory_number = memory_doorbell
        self.file = open_descriptor(pid, file, os.O_RDWR)
        head = os.read(self.file, 12)
        size = int.from_bytes(head[8:12], "little")
        if int.from_bytes(head[:4], "little") != wire.MAGIC or size <= wire.ARENA_OFFSET:
            raise SystemExit("zugbruecke: what Node shares is not a segment")
        self.size = size
        self.base = _map(msvcrt.get_osfhandle(self.file), size)
        self.bytes = memoryview((ctypes.c_uint8 * size).from_address(self.base)).cast("B")
        self.words = self.bytes.cast("I")
        self.node_doorbell = open_descriptor(pid, node_doorbell, os.O_WRONLY)
        self.idle_doorbell = open_descriptor(pid, idle_doorbell, os.O_WRONLY)
        self.main_doorbell = open_descriptor(pid, strand_doorbells[0], os.O_RDONLY)

    def memory_doorbell(self):
        """The FIFO that wakes the thread behind the memory window."""
        return open_descriptor(self.pid, self.memory_number, os.O_RDONLY)

    def reachable(self, address, size, writable=False):
        """May a message name these bytes? Request slots and arena it may, and whatever else is there in this process."""
        if size == 0:
            return True
        offset, end = address - self.base, address + size
        if 0 <= offset < self.size:
            if offset + size > self.size:
                return False
            inside = offset >= wire.ARENA_OFFSET or wire.REQUEST_OFFSET <= offset and offset + size <= wire.REPLY_OFFSET
            return inside or not writable
        if address <= 0 or end > (1 << 8 * ctypes.sizeof(ctypes.c_void_p)) or address < self.base < end:
            return False
        while address < end:
            found = query_memory(address)
            if found.state != MEM_COMMIT or found.protect & PAGE_GUARD or not found.protect & (WRITABLE if writable else READABLE):
                return False
            address = (found.base or 0) + found.size
        return True

    def say_leaving(self):
        """Node's worker is not to wait for an answer any more, and perhaps nobody is left who would tell it."""
        self.words[wire.W_HOST_STATE] = wire.STATE_LEAVING
        os.write(self.node_doorbell, b"\1")
