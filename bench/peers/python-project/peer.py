"""The Python project: Linux Python, its session, Windows Python on Wine. Started with: FOLDER_OF_MEASURES DLL"""

import os
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import measures  # noqa: E402
import zugbruecke  # noqa: E402

DLL = sys.argv[2]


def new_session():
    return zugbruecke.CtypesSession(arch="win64", log_level=0)


def start(_seconds, _argument):
    """A session made in a running program, until its first answer."""
    begin = time.perf_counter()
    session = new_session()
    session.windll.kernel32.GetCurrentProcessId()
    took = time.perf_counter() - begin
    session.zb_terminate()
    return dict(us_per_call=took * 1e6, calls=1)


def private_kib(pid):
    total = 0
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Private_"):
                total += int(line.split()[1])
    return total


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as f:
            for child in f.read().split():
                found += [int(child), *children(child)]
    return found


def windows_pythons():
    for pid in children(os.getpid()):
        with open(f"/proc/{pid}/comm") as f:
            if f.read().startswith("python.exe"):
                yield pid


def memory(_seconds, _argument):
    """Private memory of one more session, here and on the Windows side."""
    here, there = private_kib(os.getpid()), set(windows_pythons())
    session = new_session()
    session.windll.kernel32.GetCurrentProcessId()
    here = private_kib(os.getpid()) - here
    new = set(windows_pythons()) - there
    windows = sum(private_kib(pid) for pid in new)
    session.zb_terminate()
    return dict(us_per_call=0, calls=1, here_kib=here, windows_kib=windows, processes=len(new))


def curve(seconds, argument):
    """add_int from N threads, each with a session of its own."""
    count = int(argument)
    sessions = [new_session() for _ in range(count)]  # in the main thread: it sets signal handlers
    calls = [measures.add(s, s.cdll.LoadLibrary(DLL), 0)[0] for s in sessions]
    done, stop = [0] * count, time.perf_counter() + seconds

    def work(i):
        while time.perf_counter() < stop:
            calls[i]()
            done[i] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    for session in reversed(sessions):
        session.zb_terminate()
    return dict(us_per_call=took * 1e6 / sum(done), calls=sum(done), calls_per_s=sum(done) / took)


if __name__ == "__main__":
    main_session = new_session()
    try:
        measures.serve(
            main_session,
            main_session.cdll.LoadLibrary(DLL),
            200,
            dict(zugbruecke="0.2.1", python=".".join(map(str, sys.version_info[:3]))),
            dict(start=start, memory=memory, curve=curve),
            without=("crash",),  # it ends the session
        )
    finally:
        main_session.zb_terminate()
