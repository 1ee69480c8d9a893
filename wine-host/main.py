"""The Windows side of a session: started by Node's supervisor as `python main.py PID FILE HOST_BELL STRANDS_BELL`.

Modules are few and imported late: each costs 5 to 8 ms under Wine.
"""

import _thread
import os
import sys
import time

STACK = 32 << 20  # reserved, not taken
STD_INPUT, PROTECT_FROM_CLOSE = -10, 2  # of Windows

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


class Leaving:
    """How this process ends. What it needs of Windows is looked up while that is possible: to look up takes the loader's lock.

    The clean-up of DLLs runs, as at the end of any process, but it may hang. ExitProcess would end the thread that watches
    before it begins with it, and would wait for ever for a DLL that hangs while it is loaded.
    """

    PATIENCE = 1.0  # seconds for the clean-up when nobody is left who would end this process

    def __init__(self):
        import ctypes

        ntdll = ctypes.WinDLL("ntdll")
        self.try_lock, self.unlock, self.shut_down = ntdll.LdrLockLoaderLock, ntdll.LdrUnlockLoaderLock, ntdll.LdrShutdownProcess
        self.terminate, self.this_process = ctypes.WinDLL("kernel32").TerminateProcess, ctypes.c_void_p(-1)
        self.state, self.cookie = ctypes.c_uint32(), ctypes.c_void_p()
        self.try_arguments = 2, ctypes.byref(self.state), ctypes.byref(self.cookie)
        self.begun = False
        self.tell = lambda: None  # the bridge

    def begin(self):
        if self.begun:
            return
        self.begun = True
        self.tell()
        # while the loader is locked no thread begins, and no clean-up
        if not self.loader_is_free():
            self.kill()
        _thread.start_new_thread(self.clean_up, ())

    def clean_up(self):
        self.shut_down()
        self.kill()

    def kill(self):
        self.terminate(self.this_process, 0)

    def loader_is_free(self):
        self.try_lock(*self.try_arguments)
        if self.state.value != 1:
            return False
        self.unlock(0, self.cookie)
        return True


leaving = None


def leave_with_node(lifeline):
    """Ends this process when Node says so, or is gone (the pipe that was standard input ends), whatever the main thread does."""
    try:
        while os.read(lifeline, 4096):
            # Node waits, and kills what takes longer than "timeout_stop"
            leave()
    except OSError:
        pass
    leave()
    time.sleep(Leaving.PATIENCE)
    leaving.kill()


def empty_stdin():
    """A DLL that reads standard input finds it empty: it would wait for what is not for it, and take it away."""
    import ctypes

    kernel32 = ctypes.WinDLL("kernel32")
    kernel32.GetStdHandle.restype = ctypes.c_void_p
    # each C runtime closes it when it is given another: the second might close what has its number by then
    kernel32.SetHandleInformation(ctypes.c_void_p(kernel32.GetStdHandle(STD_INPUT)), PROTECT_FROM_CLOSE, PROTECT_FROM_CLOSE)
    nothing = os.open("NUL", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    import msvcrt

    kernel32.SetStdHandle(STD_INPUT, ctypes.c_void_p(msvcrt.get_osfhandle(0)))
    if kernel32.GetModuleHandleW("msvcrt"):  # where it comes later it takes what is there then
        other = ctypes.CDLL("msvcrt")
        nothing = other._open(b"NUL", os.O_RDONLY)
        other._dup2(nothing, 0)
        other._close(nothing)


def leave():
    if leaving is None:
        os._exit(0)  # no DLL of the user's is here yet
    leaving.begin()


def main():
    sys.setswitchinterval(0.0002)  # a thread of a DLL that calls back does not wait 5 ms for the interpreter

    global leaving
    leaving = Leaving()

    import ctypes

    empty_stdin()
    # no message boxes that nobody sees
    ctypes.WinDLL("kernel32").SetErrorMode(0x8003)
    from bridge import Bridge
    from control import Control
    from segment import Segment

    segment = Segment(*[int(a) for a in sys.argv[1:5]])
    control = Control(segment)
    control.bridge = Bridge(segment, control)
    leaving.tell = control.bridge.dll.zb_leave
    control.bridge.serve()
    sys.stdout.flush()
    os._exit(0)


def start():
    """Routines run on a thread whose stack is larger than the 2 MB of python.exe: each callback that calls takes 5 KB of it."""
    _thread.start_new_thread(leave_with_node, (os.dup(0),))
    _thread.stack_size(STACK)
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
