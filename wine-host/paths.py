"""Paths from one side to the other, by Wine itself. Imported when one is asked for."""

import ctypes

from control import Failure, k32

NO_SUCH_DRIVE = 1


def to_windows(path):
    function = k32.wine_get_dos_file_name
    function.argtypes, function.restype = [ctypes.c_char_p], ctypes.c_void_p
    return ctypes.wstring_at(function(path.encode()) or _refuse(path))


def to_unix(path):
    """Wine answers for paths that exist, or whose parent does. For others the existing part is converted, and the
    rest is appended as it is written."""
    function = k32.wine_get_unix_file_name
    function.argtypes, function.restype = [ctypes.c_wchar_p], ctypes.c_void_p
    there, beyond = path.replace("/", "\\").rstrip("\\"), []
    if path[1:2] == ":" and k32.GetDriveTypeW(f"{path[0]}:\\") == NO_SUCH_DRIVE:
        _refuse(path)
    address = function(path)
    while not address and "\\" in there:
        there, _, name = there.rpartition("\\")
        beyond.insert(0, name)
        address = function(there + "\\")
    found = ctypes.string_at(address or _refuse(path)).decode()
    return "/".join([found.rstrip("/"), *beyond]) if beyond else found


def _refuse(path):
    raise Failure("Argument", f"{path!r} has no counterpart on the other side")
