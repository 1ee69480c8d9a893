"""The shared file, mapped, and the doorbells. Everything here may be used from any thread of the host."""

import ctypes
import msvcrt
import os

import wire

PAGE_READWRITE, FILE_MAP_WRITE = 4, 2


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


class Segment:
    def __init__(self, pid, file, node_doorbell, idle_doorbell, strand_doorbells):
        self.pid = pid
        self.strand_numbers = strand_doorbells
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
        self.doorbells = [None] * wire.STRANDS
        self.doorbell(0)

    def doorbell(self, strand):
        """The FIFO that wakes the thread of a strand, opened at its first use."""
        if self.doorbells[strand] is None:
            self.doorbells[strand] = open_descriptor(self.pid, self.strand_numbers[strand], os.O_RDONLY)
        return self.doorbells[strand]

    def ring_node(self):
        """Wakes Node's worker if it sleeps. Called after whatever it is to see has been stored."""
        sleeps = self.words[wire.W_NODE_SLEEPS]
        if sleeps == wire.SLEEPS_BLOCKED:
            os.write(self.node_doorbell, b"\1")
        elif sleeps == wire.SLEEPS_IDLE:
            os.write(self.idle_doorbell, b"\1")

    def message(self, at, length, flags, arena_offset, room):
        """The message of a slot or mailbox whose header lies at `at`, checked against what it may span."""
        if flags & wire.IN_ARENA:
            if arena_offset < wire.ARENA_OFFSET or arena_offset + length > self.size:
                raise wire.Malformed("message outside the arena")
            return self.bytes[arena_offset : arena_offset + length]
        if length > room:
            raise wire.Malformed("message longer than its slot")
        return self.bytes[at + wire.MESSAGE : at + wire.MESSAGE + length]
