"""Compiles every .py file below a folder. `pyc.rs` runs it and explains the arguments.

Each file is compiled in its own process, forked from this one, which compiles nothing. What `marshal` writes depends on
how many references an object has in the whole process (FLAG_REF; CPython issues 78274 and 98819). Only the same process
state produces the same bytes, so the files that were compiled before must not make a difference.
"""

import importlib.util
import marshal
import os
import sys
import warnings

DONE, BROKEN, FATAL = b"+", b"!", b"x"


def compiled(source, shown_as):
    # Level 0 keeps docstrings, which frameworks show, and assertions, some of which check input.
    code = compile(source, shown_as, "exec", dont_inherit=True, optimize=0)
    # PEP 552: flags 1 is a hash that is never compared with the source.
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


def store(path, data, keep_source):
    if keep_source:
        target = importlib.util.cache_from_source(path, optimization="")
        os.makedirs(os.path.dirname(target), exist_ok=True)
    else:
        target = path + "c"
    with open(target, "wb") as file:
        file.write(data)
    if not keep_source:
        os.unlink(path)


def report(kind, name, text=""):
    # One write of less than PIPE_BUF, so that reports of several processes do not mix.
    record = b"\0".join(
        [kind, os.fsencode(name)[:2000], text.encode("utf-8", "replace")[:1500].replace(b"\0", b""), b""]
    )
    os.write(1, record)


def work(folder, name, shown_as, keep_source):
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as file:
            source = file.read()
        data = compiled(source, shown_as + name)
    except Exception as error:  # the error for deep nesting or null bytes depends on the version
        return report(BROKEN, name, describe(error))
    try:
        store(path, data, keep_source)
    except OSError as error:
        return report(FATAL, name, str(error))
    report(DONE, name)


def describe(error):
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: {error.msg}"
    return f"{type(error).__name__}: {error}"


def sources(folder):
    for parent, _, files in os.walk(folder):
        for file in files:
            if file.endswith(".py"):
                yield os.path.relpath(os.path.join(parent, file), folder)


def wait(running):
    pid, status = os.wait()
    name = running.pop(pid)
    if status != 0:
        report(BROKEN, name, f"the compiler ended with {os.waitstatus_to_exitcode(status)}")


def main(folder, shown_as, keep_source):
    warnings.simplefilter("ignore")  # "\d" in a string is for its author to fix
    running = {}
    for name in sorted(sources(folder)):
        if len(running) == len(os.sched_getaffinity(0)):
            wait(running)
        pid = os.fork()
        if pid == 0:
            try:
                work(folder, name, shown_as, keep_source == "keep")
            except BaseException:
                os._exit(1)
            os._exit(0)
        running[pid] = name
    while running:
        wait(running)


if sys.version_info < (3, 11):
    # Older versions write the members of a set in random order.
    sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}: 3.11 or later is needed")
main(*sys.argv[1:])
