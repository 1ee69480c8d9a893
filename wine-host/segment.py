"""The memory that this process shares with Node, mapped, and the bells that Node rings."""

import ctypes
import msvcrt
import os

import wire

PAGE_READWRITE, FILE_MAP_WRITE = 4, 2


def open_descriptor(pid, fd, flags):
    """The handle of a file that a Unix process has open: what has no name can be had through it."""
    return msvcrt.get_osfhandle(os.open(rf"Z:\proc\{pid}\fd\{fd}", flags | os.O_BINARY))


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
    def __init__(self, pid, file, host_bell, strands_bell):
        file = os.open(rf"Z:\proc\{pid}\fd\{file}", os.O_RDWR | os.O_BINARY)
        head = os.read(file, 12)
        self.size = int.from_bytes(head[8:12], "little")
        if int.from_bytes(head[:4], "little") != wire.MAGIC or self.size <= wire.ARENA_OFFSET:
            raise SystemExit("zugbruecke: what Node shares is not a segment")
        self.base = _map(msvcrt.get_osfhandle(file), self.size)
        self.host_bell = open_descriptor(pid, host_bell, os.O_RDONLY)
        self.strands_bell = open_descriptor(pid, strands_bell, os.O_RDONLY)
