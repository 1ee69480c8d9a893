"""The memory window: reads and writes this process's memory for Node, on a thread of its own, whatever the main thread does."""

import _thread
import ctypes
import os

import wire

REFUSED = 1


def serve_memory(segment):
    """From now on. Node asks for it once, at the start, where the kernel lets it not look into this process itself."""
    bell = segment.memory_doorbell()
    _thread.start_new_thread(_serve, (segment, bell))


def _serve(segment, bell):
    request, answer = wire.WINDOW_OFFSET // 4, wire.WINDOW_ANSWER // 4
    words = segment.words
    served = 0
    while os.read(bell, 64):
        if words[request] == served:
            continue
        served, operation, address, rest, size = wire.WINDOW_VALUES.unpack_from(segment.bytes, wire.WINDOW_OFFSET)
        words[answer + 1] = 0 if _copy(segment, operation, address, rest, size) else REFUSED
        words[answer] = served


def _copy(segment, operation, address, rest, size):
    writes = operation == wire.MEMORY_WRITE
    if size > min(rest, wire.WINDOW_ROOM) or not segment.reachable(address, rest, writes):
        return False
    data = segment.base + wire.WINDOW_DATA
    try:
        if writes:
            ctypes.memmove(address, data, size)
        else:
            ctypes.memmove(data, address, size)
    except OSError:  # it was taken away meanwhile
        return False
    return True
