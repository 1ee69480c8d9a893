"""The host's main loop in pure Python: takes requests in order, carries them out, replies."""

import os
import time

import wire

SPIN = 100e-6  # seconds of looking before the loop parks


class Server:
    def __init__(self, segment, routines, control):
        self.segment = segment
        self.routines = routines  # None: a bridge takes over after the first requests, which are Control messages
        self.control = control
        self.handled = 0

    def serve(self, requests=None):
        """Until a request to leave, or for so many requests."""
        words = self.segment.words
        words[wire.W_HOST_STATE] = wire.STATE_SERVING
        while not self.control.leaving and requests != 0:
            self._await_request()
            self._handle()
            if requests is not None:
                requests -= 1

    def _await_request(self):
        words = self.segment.words
        until = 0.0
        while words[wire.W_REQUEST_HEAD] == self.handled:
            now = time.perf_counter()
            if not until:
                until = now + SPIN
            elif now > until:
                words[wire.W_HOST_SLEEPS] = 1
                self.segment.fence()
                if words[wire.W_REQUEST_HEAD] == self.handled:
                    os.read(self.segment.doorbells[0], 64)
                words[wire.W_HOST_SLEEPS] = 0

    def _handle(self):
        segment, words = self.segment, self.segment.words
        index = self.handled & (wire.SLOTS - 1)
        number = (self.handled + 1) & 0xFFFFFFFF
        at = wire.REQUEST_OFFSET + index * wire.REQUEST_SIZE
        first = at // 4
        if words[first] != number:
            raise SystemExit(f"zugbruecke: request {number} is not in its slot")
        header = words[first + 2]
        words[wire.W_RUNNING] = number
        try:
            message = segment.message(at, words[first + 1], header >> 16, words[first + 3], wire.REQUEST_SIZE - wire.MESSAGE)
            values = self._run(header & 0xFF, message)
        except wire.Malformed:
            values = (wire.REFUSED, wire.MALFORMED, 0, 0, 0, 0)
        words[wire.W_RUNNING] = 0
        answer = wire.REPLY_OFFSET + index * wire.REPLY_SIZE
        segment.bytes[answer + 8 : answer + 8 + wire.REPLY_LENGTH] = wire.reply(values)
        words[answer // 4 + 1] = wire.REPLY_LENGTH
        words[answer // 4] = number
        self.handled = number
        words[wire.W_REPLY_HEAD] = number
        segment.ring_node()

    def _run(self, kind, message):
        if kind == wire.CALL:
            return self.routines.run_call(message)
        if kind == wire.BATCH:
            return self.routines.run_batch(message, self._running_row)
        if kind == wire.CONTROL:
            offset, room = self.control.room_of(message)
            out = self.control.run(message, room)
            self.segment.bytes[offset : offset + len(out)] = out
            return wire.DONE, 0, 0, 0, 0, len(out)
        raise wire.Malformed("kind")

    def _running_row(self, row):
        self.segment.words[wire.W_RUNNING_ROW] = row
