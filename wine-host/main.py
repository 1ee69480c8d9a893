"""The Windows side of a session: started by Node's supervisor as `python main.py PID FILE NODE_DOORBELL IDLE_DOORBELL STRAND_DOORBELLS… [--no-bridge]`.

Modules are few and imported late: each costs 5 to 8 ms under Wine.
"""

import _thread
import os
import sys
import time

STACK = 32 << 20  # reserved, not taken

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def leave_with_node():
    """Ends this process as soon as standard input ends, whatever the main thread does, and for certain a second later."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    begun = _thread.allocate_lock()
    begun.acquire()
    _thread.start_new_thread(kill_later, (begun,))
    # a thread that is just beginning when the process ends makes Wine complain on stderr
    begun.acquire(timeout=0.5)
    os._exit(0)


def kill_later(begun):
    """A DLL's own clean-up may hang; nobody is there any more to wait for it."""
    import ctypes

    kernel32 = ctypes.WinDLL("kernel32")
    begun.release()
    time.sleep(1.0)
    kernel32.TerminateProcess(ctypes.c_void_p(-1), 0)


def main():
    sys.setswitchinterval(0.0002)  # a thread of a DLL that calls back does not wait 5 ms for the interpreter

    import ctypes

    # no message boxes that nobody sees
    ctypes.WinDLL("kernel32").SetErrorMode(0x8003)
    import wire
    from control import Control
    from segment import Segment
    from serve import Server

    pid, file, node, idle, *strands = [int(a) for a in sys.argv[1:21]]
    segment = Segment(pid, file, node, idle, strands)
    control = Control(segment)
    if "--no-bridge" not in sys.argv:
        from bridge import load_bridge

        control.bridge = load_bridge(segment, control)
    if control.bridge:
        Server(segment, None, control).serve(requests=1)  # HELLO, which tells Node where the segment lies
        if not control.bridge.fits:
            raise SystemExit("zugbruecke: the native bridge is of another version than the host beside it")
        control.bridge.serve()
    else:
        from routines import Routines
        from strands import Strands

        sys.setrecursionlimit(10000)  # a callback in a call in a callback takes four frames
        control.routines = Routines(segment)
        control.strands = Strands(segment, control.routines, control.run)
        control.strands.be_main()
        Server(segment, control.routines, control).serve()
    segment.words[wire.W_HOST_STATE] = wire.STATE_LEAVING
    sys.stdout.flush()
    os._exit(0)


def start():
    """Routines run on a thread whose stack is larger than the 2 MB of python.exe: each callback that calls takes 5 KB of it."""
    _thread.start_new_thread(leave_with_node, ())
    _thread.stack_size(STACK if sys.maxsize > 2**32 else STACK // 4)
    done = _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(run, (done,))
    _thread.stack_size(0)
    done.acquire()


def run(done):
    """What is said on the way out goes to stderr, and ends the process."""
    try:
        main()
    except SystemExit as words:
        print(words, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(1)


start()
