#!/usr/bin/env python3
"""Opens a bundle by the C loader, as example 05 does: open_bundle.py FOLDER.

What the loader refuses is an error in its words and exit status 1.
"""

import ctypes
import os
import pathlib
import sys

folder = pathlib.Path(os.environ["BIN"]).parent
loader = ctypes.CDLL(str(folder / "lib" / "libmamba_loader.so"))
loader.mamba_error.restype = ctypes.c_char_p
bundle = ctypes.c_void_p()
if loader.mamba_bundle_open(os.fsencode(sys.argv[1]), None, ctypes.byref(bundle)):
    sys.exit("error: " + loader.mamba_error().decode(errors="backslashreplace"))
print("opened")
