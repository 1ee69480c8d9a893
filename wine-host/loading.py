"""Finds out why a DLL cannot be loaded. Imported only when one cannot: the import takes time."""

import ctypes

from control import (
    ERROR_BAD_EXE_FORMAT,
    ERROR_MOD_NOT_FOUND,
    ERROR_PROC_NOT_FOUND,
    LOAD_WITH_ALTERED_SEARCH_PATH,
    WINES_MARK,
    Failure,
    is_path,
    is_wines,
    k32,
    load_library,
    module_path,
    searches,
)

# a flag of LoadLibraryEx: no DLL that it needs is loaded, and none of its code runs
DONT_RESOLVE = 1
NAME_ITS_FOLDER = 'name its folder in the parameter "dll_directories" or in PATH of "env"'


def refuse(name, code):
    """Raises the failure of a load that Windows has refused with `code`."""
    if code not in (ERROR_BAD_EXE_FORMAT, ERROR_MOD_NOT_FOUND):
        raise _failure(name, code)
    handle, why = _map(name)
    if not handle:
        if why == ERROR_BAD_EXE_FORMAT:
            raise Failure("WrongArchitecture", f"{name} is there, but not for this architecture", why)
        advice = (
            "its path leads nowhere" if is_path(name) else f"give its path, put it into the working folder, or {NAME_ITS_FOLDER}"
        )
        raise Failure("DllNotFound", f"{name} was not found: {advice}", why)
    file = module_path(handle)
    missing = _missing(handle, file.rpartition("\\")[0], set())
    k32.FreeLibrary(handle)
    if not missing:
        raise _failure(name, code)
    chain, why = missing
    short = _short(file)
    needs = f"{short} needs {', which needs '.join(chain)}"
    if why == ERROR_BAD_EXE_FORMAT:
        raise Failure("WrongArchitecture", f"{needs}: that is there, but not for this architecture", why)
    advice = f"put it beside {short}, or {NAME_ITS_FOLDER}"
    raise Failure("DllNotFound", f"{name} is there, but {chain[-1]}, which it needs, is not ({needs}): {advice}", why)


def check(name, mode, handle, unmet):
    """The module of a load that Windows might refuse where Wine does not. Raises the failure that Windows would give."""
    if unmet:
        module, dll, routine = unmet
        what = f"ordinal {routine}" if isinstance(routine, int) else f'the routine "{routine}"'
        other = module_path(k32.GetModuleHandleW(dll))
        text = f"{module_path(module)} needs {what} of {dll}, and {other} has none: it is another version"
        raise Failure("DllNotFound", text, ERROR_PROC_NOT_FOUND)
    if not is_wines(handle) or _has_mark(name):
        return handle
    base = _short(module_path(handle)).rpartition(".")[0].lower()
    own = _load_in_place_of_wines(name, mode, base)
    if own and is_wines(own):
        k32.FreeLibrary(own)
        text = f"{name}: Wine has a DLL of that name itself, and loads that instead"
        raise Failure("DllNotFound", f"{text}; start the session with env: {{ WINEDLLOVERRIDES: '{base}=n,b' }}")
    if not own:
        raise _failure(name, ctypes.get_last_error())
    k32.FreeLibrary(handle)
    return own


def _load_in_place_of_wines(name, mode, base):
    """Loads the file although Wine has a DLL of that name, which it would load instead: the registry tells it
    otherwise during the load."""
    import winreg

    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, r"Software\Wine\DllOverrides") as overrides:
        winreg.SetValueEx(overrides, base, 0, winreg.REG_SZ, "native,builtin")
        try:
            return load_library(name, mode)[0]
        finally:
            winreg.DeleteValue(overrides, base)


def _failure(name, code):
    return Failure("DllNotFound", f"{name}: {ctypes.FormatError(code).strip()}", code)


def _short(path):
    return path.rpartition("\\")[2]


def _has_mark(path):
    try:
        with open(path, "rb") as file:
            return WINES_MARK in file.read(0x40 + len(WINES_MARK))
    except OSError:
        return True


def _map(name, folder=None):
    """Maps a DLL, as a load would find it, and runs nothing: its module and 0, or None and the error."""
    ways = searches(name)
    if folder:  # for a DLL that another one needs Windows searches only these
        ways = ((f"{folder}\\{name}", LOAD_WITH_ALTERED_SEARCH_PATH), *ways[:2])
    why = ERROR_MOD_NOT_FOUND
    for path, flags in ways:
        ctypes.set_last_error(0)
        handle = k32.LoadLibraryExW(path, None, DONT_RESOLVE | flags)
        if handle:
            return handle, 0
        if ctypes.get_last_error() == ERROR_BAD_EXE_FORMAT:
            why = ERROR_BAD_EXE_FORMAT
    return None, why


def _missing(handle, folder, seen):
    """The chain of DLLs that a module needs, up to the first that cannot be mapped, and the error for that; None if
    all can."""
    for needed in _imports(handle):
        if needed.lower() in seen:
            continue
        seen.add(needed.lower())
        found, why = _map(needed, folder)
        if not found:
            return [needed], why
        deeper = None if is_wines(found) else _missing(found, folder, seen)
        k32.FreeLibrary(found)
        if deeper:
            return [needed, *deeper[0]], deeper[1]
    return None


def _imports(handle):
    """Names of the DLLs that a mapped module imports from ("PE Format" of Microsoft's documentation, "The .idata
    Section")."""

    def number(offset):
        return int.from_bytes(ctypes.string_at(handle + offset, 4), "little")

    optional = number(0x3C) + 24
    is_64_bit = ctypes.string_at(handle + optional, 2) == b"\x0b\x02"
    at = number(optional + (112 if is_64_bit else 96) + 8)
    while at and (name := number(at + 12)):
        yield ctypes.string_at(handle + name).decode("latin-1")
        at += 20
