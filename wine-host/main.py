"""The Windows side of a session: started by Node's supervisor as `python main.py PID FILE HOST_BELL STRANDS_BELL`.

Modules are few and imported late: each costs 5 to 8 ms under Wine.
"""

import _thread
import msvcrt
import os
import sys

STACK = 32 << 20  # address space, not memory
STD_INPUT, PROTECT_FROM_CLOSE = -10, 2  # numbers of the Windows API

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


bridge = None  # None until it has begun: no DLL of the user's is loaded before


def leave_with_node(lifeline):
    """Waits until Node says that this process is to end, or is gone (the pipe that was standard input ends), and ends
    it whatever the main thread does."""
    try:
        gone = not os.read(lifeline, 4096)
    except OSError:
        gone = True
    if bridge is None:
        os._exit(0)
    bridge.dll.zb_leave(msvcrt.get_osfhandle(lifeline), gone)


def empty_stdin():
    """Gives DLLs an empty standard input: one that reads there would wait for the messages of Node, and take them
    away."""
    import ctypes

    kernel32 = ctypes.WinDLL("kernel32")
    kernel32.GetStdHandle.restype = ctypes.c_void_p
    # protected, since each C runtime closes it when it gets another: the second one might close what has its number by
    # then
    kernel32.SetHandleInformation(ctypes.c_void_p(kernel32.GetStdHandle(STD_INPUT)), PROTECT_FROM_CLOSE, PROTECT_FROM_CLOSE)
    nothing = os.open("NUL", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    kernel32.SetStdHandle(STD_INPUT, ctypes.c_void_p(msvcrt.get_osfhandle(0)))
    if kernel32.GetModuleHandleW("msvcrt"):  # if it is loaded later, it takes over what is there by then
        other = ctypes.CDLL("msvcrt")
        nothing = other._open(b"NUL", os.O_RDONLY)
        other._dup2(nothing, 0)
        other._close(nothing)


def main(begun):
    sys.setswitchinterval(0.0002)  # otherwise a thread of a DLL that calls back waits up to 5 ms for the interpreter

    import ctypes

    empty_stdin()
    # no message boxes: nobody would see them
    ctypes.WinDLL("kernel32").SetErrorMode(0x8003)
    from bridge import Bridge, Segment
    from control import Control

    segment = Segment(*[int(a) for a in sys.argv[1:5]])
    control = Control(segment)
    control.bridge = Bridge(segment, control)
    control.bridge.begin()
    global bridge
    bridge = control.bridge
    begun.release()
    bridge.serve()
    sys.stdout.flush()
    os._exit(0)


def start():
    """Starts a thread for routines with a larger stack than the 2 MB of python.exe: each callback that makes a call
    takes 5 KB of it."""
    _thread.start_new_thread(leave_with_node, (os.dup(0),))
    _thread.stack_size(STACK)
    begun = _thread.allocate_lock()
    begun.acquire()
    _thread.start_new_thread(run, (begun,))
    _thread.stack_size(0)
    begun.acquire()
    bridge.dll.zb_watch()


def run(begun):
    """Runs `main`. Whatever it raises goes to stderr, and ends the process."""
    try:
        main(begun)
    except SystemExit as words:
        print(words, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    sys.stderr.flush()
    os._exit(1)


start()
