"""Plain ctypes in Windows Python on Wine. Started with: FOLDER_OF_MEASURES DLL"""

import ctypes
import platform
import sys

sys.path.insert(0, sys.argv[1])
import measures  # noqa: E402

measures.serve(ctypes, ctypes.CDLL(sys.argv[2]), 1000, dict(python=platform.python_version()))
