"""Run by build.rs: link_libpython.py FOLDER. Links libpython anew, from the very objects that it was made of, where Python
was configured without optimisations (as by `pyenv install`): its functions then call each other directly, and not
through a table in which another library could replace them (`-Bsymbolic` in ld(1)). Optimised builds do that
themselves, by `-fno-semantic-interposition`. A tenth of a Flask request is gained.

Prints the archive of the objects if the library is in FOLDER then, and else nothing.
"""

import os
import pathlib
import shlex
import subprocess
import sys
import sysconfig
import tempfile

MAPS = pathlib.Path("/proc/self/maps")
# Python, with an extension module, and with that library and not its own.
CHECK = "import sys, _json, _struct; sys.exit(sys.argv[1] not in open('/proc/self/maps').read())"


def variable(name):
    return str(sysconfig.get_config_var(name) or "")


def calls_itself_directly():
    """Whether the library that is there does, as far as its configuration says. To link what was optimised as a whole would also be slow, or a step back."""
    names = ("CONFIG_ARGS", "CFLAGS", "LDFLAGS", "PY_CFLAGS_NODIST", "PY_LDFLAGS_NODIST")
    given = " ".join(map(variable, names))
    return any(flag in given for flag in ("--enable-optimizations", "no-semantic-interposition", "-flto", "-Bsymbolic"))


def succeeds(command, **environment):
    try:
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def link(archive, library, *options):
    compiler = shlex.split(os.environ.get("CC") or "cc")
    options = ",".join(("-Wl,-Bsymbolic,-O1,--strip-debug,--no-undefined", *options, "-soname", library.name))
    objects = ("-Wl,--whole-archive", archive, "-Wl,--no-whole-archive")
    needed = shlex.split(" ".join(map(variable, ("MODLIBS", "LIBS", "SYSLIBS"))))
    return succeeds([*compiler, "-shared", options, *objects, *needed, "-o", library])


def main(folder):
    archive = pathlib.Path(variable("LIBPL"), variable("LIBRARY"))
    name = variable("INSTSONAME")
    # Debian's `python3` has all of Python in itself: nothing could be checked, and its archive is for programs alone.
    wanted = sys.platform == "linux" and name and name in MAPS.read_text() and not calls_itself_directly()
    if not wanted or not archive.is_file():
        return
    # Not where a runtime of an earlier build would load it before it is checked; with links resolved, as in the maps.
    with tempfile.TemporaryDirectory(dir=os.path.realpath(folder)) as place:
        library = pathlib.Path(place, name)
        # Packed relocations spare every process 0.7 MB. They are read by glibc from 2.36 on.
        for options in (("-z", "pack-relative-relocs"), ()):
            made = link(archive, library, *options)
            if made and succeeds([sys.executable, "-S", "-c", CHECK, library], LD_LIBRARY_PATH=place):
                library.replace(pathlib.Path(folder, name))
                print(archive)
                return


main(sys.argv[1])
