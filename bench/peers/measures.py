"""What both Python peers are asked: the same calls through plain ctypes and through the Python project.

A request is a line "NAME SECONDS"; the answer is one line of JSON.
"""

import json
import sys
import time

DOUBLES = 131072  # 1 MiB
ROWS = 1000
PIXELS = [253, 252, 254, 252, 254, 239, 252, 246, 166]
FILTERED = [-508, -247, -525, -249, -27, -282, -510, -312, -179]


def add(ctypes, dll, _):
    f = dll.add_int
    f.argtypes = (ctypes.c_int, ctypes.c_int)
    f.restype = ctypes.c_int
    assert f(3, 4) == 7
    return lambda: f(3, 4), 1


def ten(ctypes, dll, _):
    floats = ctypes.c_float * 10
    pointer = ctypes.POINTER(ctypes.c_float)
    f = dll.double_floats
    f.argtypes = (pointer, pointer, ctypes.c_int)
    f.restype = None
    f.memsync = [dict(pointer=[i], length=[2], type=ctypes.c_float) for i in (0, 1)]
    given, out = floats(*range(10)), floats()
    a, b = ctypes.cast(ctypes.pointer(given), pointer), ctypes.cast(ctypes.pointer(out), pointer)
    f(a, b, 10)
    assert out[:] == [2 * i for i in range(10)]
    return lambda: f(a, b, 10), 1


def fields(ctypes, dll, _):
    class Fields(ctypes.Structure):
        _fields_ = [
            ("a", ctypes.c_int8),
            ("b", ctypes.c_uint8),
            ("c", ctypes.c_int16),
            ("d", ctypes.c_uint16),
            ("e", ctypes.c_int32),
            ("f", ctypes.c_uint32),
            ("g", ctypes.c_int64),
            ("h", ctypes.c_float),
            ("i", ctypes.c_double),
            ("total", ctypes.c_double),
        ]

    f = dll.sum_fields
    f.argtypes = (ctypes.POINTER(Fields),)
    f.restype = None
    value = Fields(1, 2, 3, 4, 5, 6, 7, 8.5, 9.5, 0)
    pointer = ctypes.pointer(value)
    f(pointer)
    assert value.total == 46
    return lambda: f(pointer), 1


def work(ctypes, dll, _):
    f = dll.iterate
    f.argtypes = (ctypes.c_double, ctypes.c_int)
    f.restype = ctypes.c_double
    assert f(0.5, 1) == 3.7 * 0.5 * 0.5
    return lambda: f(0.3, 500), 1


def rows(ctypes, dll, _):
    class Row(ctypes.Structure):
        _fields_ = [
            ("x", ctypes.c_double),
            ("y", ctypes.c_double),
            ("z", ctypes.c_double),
            ("id", ctypes.c_int32),
            ("flags", ctypes.c_int32),
            ("sum", ctypes.c_int64),
        ]

    f = dll.step_row
    f.argtypes = (ctypes.POINTER(Row),)
    f.restype = None
    pointers = [ctypes.pointer(Row(i, i, 0, i, 0, 0)) for i in range(ROWS)]
    f(pointers[1])
    assert pointers[1].contents.z == 2

    def call():
        for pointer in pointers:
            f(pointer)

    return call, ROWS


def doubles(ctypes, dll, _):
    pointer = ctypes.POINTER(ctypes.c_double)
    f = dll.negate
    f.argtypes = (pointer, ctypes.c_int)
    f.restype = None
    f.memsync = [dict(pointer=[0], length=[1], type=ctypes.c_double)]
    data = (ctypes.c_double * DOUBLES)(*range(DOUBLES))
    a = ctypes.cast(ctypes.pointer(data), pointer)
    f(a, DOUBLES)
    assert data[DOUBLES - 1] == 1 - DOUBLES
    return lambda: f(a, DOUBLES), 1


def callback(ctypes, dll, count):
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    f = dll.call_many
    f.argtypes = (kind, ctypes.c_int)
    f.restype = ctypes.c_longlong
    twice = kind(lambda i: 2 * i)
    assert f(twice, 10) == 90
    return lambda: f(twice, count), count


def filter_image(ctypes, dll, _):
    short = ctypes.POINTER(ctypes.c_int16)

    class Image(ctypes.Structure):
        _fields_ = [("data", short), ("width", ctypes.c_int16), ("height", ctypes.c_int16)]

    def size(argument):
        return dict(
            pointer=[argument, "data"],
            length=([argument, "width"], [argument, "height"]),
            func="lambda width, height: width * height",
            type=ctypes.c_int16,
        )

    kind = ctypes.CFUNCTYPE(ctypes.c_int16, ctypes.POINTER(Image))
    kind.memsync = [size(0)]
    f = dll.filter_image
    f.argtypes = (ctypes.POINTER(Image), ctypes.POINTER(Image), kind)
    f.restype = None
    f.memsync = [size(0), size(1)]
    nine = ctypes.c_int16 * 9

    @kind
    def edges(section):
        p = ctypes.cast(section.contents.data, ctypes.POINTER(nine)).contents[:]
        return p[1] + p[3] - 4 * p[4] + p[5] + p[7]

    def call():
        given = Image(ctypes.cast(ctypes.pointer(nine(*PIXELS)), short), 3, 3)
        out = Image(ctypes.cast(ctypes.pointer(nine()), short), 3, 3)
        f(ctypes.pointer(given), ctypes.pointer(out), edges)
        return ctypes.cast(out.data, ctypes.POINTER(nine)).contents[:]

    assert call() == FILTERED
    return call, 1


def crash(ctypes, dll, _):
    f = dll.crash_every
    f.argtypes = (ctypes.c_int, ctypes.c_int)
    f.restype = ctypes.c_int

    def call():
        try:
            f(0, 1)
        except OSError:
            return
        raise AssertionError("it did not crash")

    call()
    return call, 1


CALLS = dict(
    add=add, ten=ten, fields=fields, rows=rows, doubles=doubles, callback=callback, filter=filter_image, crash=crash, work=work
)


def measure(call, inner, seconds):
    """Mean time of a call over about `seconds`, in groups long enough for the clock."""
    now = time.perf_counter
    group = 1
    while True:  # also the warm-up
        start = now()
        for _ in range(group):
            call()
        took = now() - start
        if took > seconds / 20 or took > 0.02:
            break
        group *= 2
    calls, start = 0, now()
    while True:
        for _ in range(group):
            call()
        calls += group
        end = now()
        if end - start >= seconds:
            break
    return dict(us_per_call=(end - start) * 1e6 / (calls * inner), calls=calls * inner)


def serve(ctypes, dll, callbacks, versions, more=None, without=()):
    """Answers requests until its standard input ends. `more`: measures of other kinds, by name."""
    print(json.dumps(dict(ready=True, versions=versions)), flush=True)
    prepared = {}
    for line in iter(sys.stdin.readline, ""):
        name, _, seconds = line.strip().partition(" ")
        try:
            if more and name.partition(":")[0] in more:
                kind, _, argument = name.partition(":")
                answer = more[kind](float(seconds), argument)
            elif name in CALLS and name not in without:
                if name not in prepared:
                    prepared[name] = CALLS[name](ctypes, dll, callbacks)
                answer = measure(*prepared[name], float(seconds))
            else:
                answer = dict(missing="no such measure here")
        except Exception as error:  # told, so that the table can say why there is no figure
            answer = dict(missing=f"{type(error).__name__}: {error}")
        print(json.dumps(dict(name=name, **answer)), flush=True)
