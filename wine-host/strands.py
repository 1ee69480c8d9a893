"""Callbacks: a thunk that a DLL calls asks Node, and carries out what Node wants done meanwhile on the very same thread."""

import ctypes
import os
import struct
import sys
import threading
import time

import wire
from routines import C_TYPES, c_type

SPIN = 50e-6  # seconds; while it spins a thread holds the interpreter
# seconds that a thread waits for one of all the others to return: they may in turn wait for this one
PATIENCE = 10
TOO_MANY = "zugbruecke: a thread of a DLL got zero from a callback: too many other threads have one open, and none has returned for 10 s"
# callbacks in calls in callbacks, at the most: the interpreter stops at about a thousand, in the middle of a conversation with Node
DEEPEST = 300
# stack that each of them is allowed
STACK_OF_CALLBACK = 16384


kernel32 = ctypes.WinDLL("kernel32")
last_error, set_last_error = kernel32.GetLastError, kernel32.SetLastError
last_error.argtypes, set_last_error.argtypes = [], [ctypes.c_int32]
last_error.restype, set_last_error.restype = ctypes.c_int32, None


class Strands:
    def __init__(self, segment, routines, control):
        self.segment = segment
        self.routines = routines
        self.control = control  # function(message) -> Outcome bytes
        self.local = threading.local()
        self.free = list(range(wire.STRANDS - 1, 0, -1))
        self.changed = threading.Condition()
        self.returns = 0  # so often has a strand become free
        self.thunks = {}
        self.quarantine = []
        self.disposed = set()

    def make_thunk(self, number, convention, signature, result):
        """Address of a routine that asks Node's callback `number`."""
        kinds = wire.split_signature(signature)
        types = [c_type(kind) for kind in kinds]
        by_value = [i for i, kind in enumerate(kinds) if kind[0] == "{"]
        pack = struct.Struct("<" + "".join(wire.FORMATS.get(k, "Q") for k in kinds)).pack
        unpack = struct.Struct(wire.FORMATS[result]).unpack if result != "v" else None

        def thunk(*arguments):
            error = last_error()
            # once the end has begun nobody answers: clean-up of DLLs gets zero at once
            if number in self.disposed or self.segment.words[wire.W_HOST_STATE] == wire.STATE_LEAVING:
                return 0
            values = [0 if a is None else a for a in arguments]
            for i in by_value:
                values[i] = ctypes.addressof(arguments[i])
            own, outer = self.routines.own, self.routines.system_error()
            own.system_error = error  # the routine's own is what calls inside meet, and what it finds again
            try:
                answer = self.ask(number, pack(*values))
                error, own.system_error = own.system_error, outer
                set_last_error(error)
                return unpack(answer)[0] if unpack else None
            except BaseException:  # ctypes would print it and answer zero, and Node would wait for ever
                give_up()

        make = ctypes.WINFUNCTYPE if convention == 1 else ctypes.CFUNCTYPE
        function = make(C_TYPES[result], *types)(thunk)
        self.disposed.discard(number)
        self.thunks[number] = function
        # not by ctypes.cast, whose result and the function would keep each other alive
        return ctypes.c_void_p.from_address(ctypes.addressof(function)).value

    def free_thunk(self, number):
        """From now on the thunk answers zero. Its code stays for a long while, for a DLL that kept it."""
        self.disposed.add(number)
        self.quarantine.append(number)
        if len(self.quarantine) > 4096:
            old = self.quarantine.pop(0)
            self.thunks.pop(old, None)
            self.disposed.discard(old)

    def be_main(self):
        self.local.strand = 0
        self.local.depth = 0
        self.local.deepest = deepest_here()

    def ask(self, number, payload):
        """Posts the callback and serves Node until it returns: 8 bytes."""
        strand = self._enter()
        if strand is None:
            print(TOO_MANY, file=sys.stderr, flush=True)
            return bytes(8)
        try:
            if self.local.depth > self.local.deepest:
                # the call that it happened in fails with it (routines.py); the routine gets zero meanwhile
                self.routines.refused.callback = True
                return bytes(8)
            self._post(strand, wire.CALLBACK, wire.callback_message(number, threading.get_ident() & 0xFFFFFFFF, payload))
            while True:
                kind, message = self._wait(strand)
                if kind == wire.RETURN and bytes(message[: len(wire.RETURN_HEAD)]) == wire.RETURN_HEAD and len(message) >= 24:
                    return bytes(message[16:24])
                if kind == wire.CONTROL:
                    self._post(strand, wire.OUTCOME, self.control(message))
                    continue
                self.segment.words[wire.W_RUNNING_NESTED] = int.from_bytes(message[48 if kind == wire.BATCH else 32 :][:4], "little")
                if kind == wire.CALL:
                    values = self.routines.run_call(message)
                elif kind == wire.BATCH:
                    values = self.routines.run_batch(message, lambda row: None)
                else:
                    values = (wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0)
                self._post(strand, wire.REPLY, wire.reply(values))
        finally:
            self._leave(strand)

    def _enter(self):
        local = self.local
        if getattr(local, "strand", None) is None:
            with self.changed:
                while not self.free:
                    seen = self.returns
                    self.changed.wait(PATIENCE)
                    if self.returns == seen:
                        return None
                local.strand = self.free.pop()
            local.depth = 0
            local.deepest = deepest_here()
        local.depth += 1
        return local.strand

    def _leave(self, strand):
        local = self.local
        local.depth -= 1
        if strand != 0 and local.depth == 0:
            local.strand = None
            with self.changed:
                self.free.append(strand)
                self.returns += 1
                self.changed.notify()

    def _post(self, strand, kind, message):
        segment, words = self.segment, self.segment.words
        at = wire.STRAND_OFFSET + strand * wire.STRAND_SIZE
        number = (words[wire.W_STRAND_POSTS + strand] + 1) & 0xFFFFFFFF
        segment.bytes[at + wire.MESSAGE : at + wire.MESSAGE + len(message)] = message
        words[at // 4 + 1] = len(message)
        segment.bytes[at + 8] = kind
        words[at // 4] = number
        words[wire.W_STRAND_POSTS + strand] = number
        segment.ring_node()

    def _wait(self, strand):
        segment, words = self.segment, self.segment.words
        word = wire.W_NODE_POSTS + strand
        at = wire.STRAND_OFFSET + strand * wire.STRAND_SIZE + wire.STRAND_TO_HOST
        # what Node has posted so far is what it answered: one message for each of ours but the last, so just a new number
        seen = self.posts[strand]
        until = time.perf_counter() + SPIN
        while words[word] == seen:
            if time.perf_counter() > until:
                words[wire.W_STRAND_SLEEPS + strand] = 1
                segment.fence()
                if words[word] == seen:
                    os.read(segment.doorbell(strand), 64)
                words[wire.W_STRAND_SLEEPS + strand] = 0
        number = words[word]
        if words[at // 4] != number:
            raise SystemExit("zugbruecke: a mailbox lost its order")
        self.posts[strand] = number
        header = words[at // 4 + 2]
        try:
            message = segment.message(at, words[at // 4 + 1], header >> 16, words[at // 4 + 3], wire.MAILBOX_ROOM)
        except wire.Malformed:
            return 0, b""  # refused, as any other kind that is none
        return header & 0xFF, message

    posts = [0] * wire.STRANDS


def deepest_here():
    """How deep callbacks may nest on the thread that asks: threads of a DLL's own may have little stack."""
    low, high = ctypes.c_size_t(), ctypes.c_size_t()
    kernel32.GetCurrentThreadStackLimits(ctypes.byref(low), ctypes.byref(high))
    return max(1, min(DEEPEST, (high.value - low.value) // STACK_OF_CALLBACK))


def give_up():
    """Says why on stderr, whose last words Node hands on, and ends the process."""
    sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(3)

