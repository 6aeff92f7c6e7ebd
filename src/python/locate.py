"""Prints, on a line each, this Python's prefix and the folder of its shared library; the latter is empty if there is
none.

`sysconfig` alone does not do: in a Python that was moved, as uv's are, it has the paths of the machine that built it,
and distributions keep the library in other places than the prefix's `lib`.
"""

import os
import sys
import sysconfig


def library_folder():
    name = sysconfig.get_config_var("INSTSONAME")
    if not name or not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        return ""
    folders = [os.path.join(sys.base_prefix, folder) for folder in ("lib", "lib64")]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    folders += [os.path.join(folder, multiarch) for folder in folders if multiarch]
    folders = [_loaded(name), *folders, sysconfig.get_config_var("LIBDIR")]
    return next((folder for folder in folders if folder and os.path.exists(os.path.join(folder, name))), "")


def _loaded(name):
    """Returns the folder of the library that this process has loaded; None if the interpreter is linked statically."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")[2]
            if os.path.basename(path) == name:
                return os.path.dirname("/" + path)
    return None


print(sys.base_prefix, library_folder(), sep="\n")
