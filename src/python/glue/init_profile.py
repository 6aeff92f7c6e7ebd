"""What an init costs: a tree of its imports with their times (`WSGI_LAMBDA_PROFILE_INIT`). Executed only when asked for.

The file that it leaves is JSON, written whole or not at all:

    version     1. Later ones may add keys; where a key changes its meaning the number does too
    python      "3.13.1"
    handler     the application, as the function names it
    task_root   the application's folder
    complete    false while init was still going on, which is how the file of an init that was killed looks
    failed      the name of the exception that ended the init, or null
    deferral    whether imports were put off (`WSGI_LAMBDA_DEFER_IMPORTS`)
    phases      nanoseconds: `interpreter` (Python's start), `glue` (our own code), `prepare` (`site`, paths, `.pth` files),
                `app` (from there to the end of the application's import, or to now), and from the first answer on
                `profile` (what this file has cost the init)
    events      how many invocations were answered when it was written: it is written again when there is news. Null
                where nobody looks at them, as with several workers
    imports     a list, in the order in which they began. Of each:
        name        the module; of a factory what the handler says
        parent      who waited for it: a position in this list, or null
        start, ns   nanoseconds: since the profile began, and how long it took with all that it waited for
        how         "pyc", "compiled" (from source), "extension", "built in", "frozen", "namespace", "put off" (its code
                    has not run), "not found", "failed", "factory", "other"
        compile_ns  the part of it that the compiler took, if it ran
        file        where its code is
        touched_by  if it had been put off: the module that made its code run
        error       the exception's name, if it failed
        event       whether it came while an event was answered, not in the init
        thread      whether another thread waited for it: beside the rest, not within it
        used        whether code of it ran while events were answered; null if that could not be seen, as of a module that
                    has no code to run
        held_by     modules that have it, or something of it, among their names
        base_of     modules with classes that inherit from classes of it
"""

import sys
from _thread import allocate_lock, get_ident, start_new_thread
from time import perf_counter_ns

import _frozen_importlib
import _frozen_importlib_external as external
import _wsgi_lambda_development_server as development_server
import _wsgi_lambda_logs as logs
import posix
from _wsgi_lambda_profile_use import Relations, Use, plain_spec

# Reports of an init that goes on are written this often, seconds: it may be killed.
_PATIENCE = 1.0

_find_and_load = _frozen_importlib._find_and_load
_source_to_code = external.SourceLoader.source_to_code
_load_put_off = development_server.load

_nodes = []
_done = {}  # by name: those that have come to a good end
_current = {}  # by thread: the import that it waits for
_header = {}
_phases = {}
_use = Use()
_NO_RELATIONS = Relations(())
_over = allocate_lock()
_writing = allocate_lock()


class Node:
    """An import, the code of a module that had been put off, or a factory's call."""

    __slots__ = ("children", "compile_ns", "error", "event", "file", "how", "name", "ns", "parent", "start", "thread", "touched_by")

    def __init__(self, name, parent, thread):
        self.name, self.parent, self.thread = name, parent, thread
        self.event = "failed" in _header
        self.compile_ns = self.error = self.file = self.touched_by = self.ns = None
        self.how = "other"
        self.children = []
        self.start = perf_counter_ns()


def begin(path, header, phases):
    """Records from here on. A file that is there is left alone: the first start of several counts."""
    if not path.startswith("/"):
        path = f"{posix.getcwd()}/{path}"  # the application may go elsewhere
    try:
        posix.stat(path)
        return False
    except OSError:
        pass
    _header.update(header, path=path, pid=posix.getpid(), main=get_ident())
    _header["began"] = perf_counter_ns()
    _phases.update(phases)
    for function, like in (
        (find_and_load, _find_and_load),
        (source_to_code, _source_to_code),
        (load_put_off, _find_and_load),
        (factory, _find_and_load),
    ):
        # Python leaves the import system's frames out of tracebacks, and does not count them for `stacklevel` of
        # warnings: ours, which stand between them, are to be left out like them.
        function.__code__ = function.__code__.replace(co_filename=like.__code__.co_filename)
    # The C code of `import` looks this up by name (CPython, `import_find_and_load`), and only for modules that are not
    # in sys.modules.
    _frozen_importlib._find_and_load = find_and_load
    external.SourceLoader.source_to_code = source_to_code
    development_server.load = load_put_off
    _use.prepare()
    # Each import is a frame deeper: what nests as deep as Python allows is to pass here as well.
    limit = sys.getrecursionlimit()
    _header["recursion"] = (limit, limit + limit // 4)
    sys.setrecursionlimit(limit + limit // 4)
    _over.acquire()
    start_new_thread(_keep, ())
    return True


def prepared():
    """The application's turn."""
    _phases["prepare"] = perf_counter_ns() - _header["began"]


def end_init(error_name, watch):
    """The application is loaded, or is not. From here on it is noted what runs, if `watch` says so."""
    ended = perf_counter_ns()
    failures = [node.start + node.ns for node in _nodes if node.error and node.parent is None and not node.thread]
    if error_name is not None and failures:
        # What came behind it was imported to describe the error.
        ended = max(failures)
        _nodes[:] = [node for node in _nodes if node.start < ended]
    _phases["app"] = ended - _header["began"] - _phases["prepare"]
    _header["failed"] = error_name
    _over.release()
    limit, raised = _header["recursion"]
    if sys.getrecursionlimit() == raised:  # else the application has set its own
        sys.setrecursionlimit(limit)
    began = perf_counter_ns()
    _header["relations"] = Relations({node.name for node in _nodes})
    if watch and error_name is None:
        _use.begin()
    _write()
    _phases["profile"] = perf_counter_ns() - began


def answered():
    """After an answer: the file is written again if there is news."""
    _use.events += 1
    if _use.events == 1 or _use.size() != _header["written"] or len(_nodes) != _header["nodes"]:
        _write()


def find_and_load(name, import_):
    if name in sys.modules:
        return _find_and_load(name, import_)
    node = _enter(name)
    began = node.start
    try:
        module = _find_and_load(name, import_)
    except BaseException as error:
        _leave(node)
        missing = isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}.")
        node.how, node.error = "not found" if missing else "failed", type(error).__name__
        raise
    _leave(node)
    if not node.children and name in _done and _done[name].start >= began:
        # `import a.b`, and the code of `a` has imported `a.b` already: nothing was left to do.
        _nodes.remove(node)
        if node.parent is not None:
            node.parent.children.remove(node)
        return module
    _done[name] = node
    _describe(node, sys.modules.get(name))
    return module


def source_to_code(self, *args, **kwargs):
    began = perf_counter_ns()
    try:
        return _source_to_code(self, *args, **kwargs)
    finally:
        node = _current.get(get_ident())
        if node is not None and node.name == getattr(self, "name", None):
            node.compile_ns = perf_counter_ns() - began


def load_put_off(module):
    if not development_server.is_waiting(module):
        return _load_put_off(module)
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(("<frozen importlib", "wsgi_lambda/")):
        frame = frame.f_back
    node = _enter(module.__name__)
    node.touched_by = str(frame.f_globals.get("__name__"))
    del frame
    try:
        _load_put_off(module)
    except BaseException as error:
        node.how, node.error = "failed", type(error).__name__
        raise
    finally:
        _leave(node)
    _describe(node, module)


def factory(name, function):
    """Calls what the handler names to make the application."""
    node = _enter(name)
    node.how = "factory"
    try:
        return function()
    except BaseException as error:
        node.error = type(error).__name__
        raise
    finally:
        _leave(node)


def _enter(name):
    thread = get_ident()
    node = Node(name, _current.get(thread), thread != _header["main"])
    if node.parent is not None:
        node.parent.children.append(node)
    _nodes.append(node)
    _current[thread] = node
    return node


def _leave(node):
    """Ends what `_enter` began. Also of those that began within it and did not end, as greenlets may leave them."""
    node.ns = perf_counter_ns() - node.start
    if node.parent is None:
        _current.pop(get_ident(), None)
    else:
        _current[get_ident()] = node.parent
    # `import a.b` imports `a` while it waits for `a.b`: it is no part of that, but comes before it.
    for child in [child for child in node.children if node.name.startswith(child.name + ".")]:
        if child.ns is None:
            continue
        node.children.remove(child)
        node.ns -= child.ns
        node.start = max(node.start, child.start + child.ns)
        child.parent = node.parent
        if node.parent is not None:
            node.parent.children.append(child)


def _describe(node, module):
    spec = plain_spec(module)
    if spec is not None and getattr(spec, "has_location", False):
        node.file = spec.origin
    if development_server.is_waiting(module):
        node.how = "put off"
    elif node.compile_ns is not None:
        node.how = "compiled"
    elif spec is not None:
        node.how = _how(spec)


def _how(spec):
    loader = spec.loader
    if spec.origin in ("built-in", "frozen"):
        return {"built-in": "built in"}.get(spec.origin, spec.origin)
    if isinstance(loader, (external.SourceFileLoader, external.SourcelessFileLoader)):
        return "pyc"
    if isinstance(loader, external.ExtensionFileLoader):
        return "extension"
    namespace = spec.origin is None and spec.submodule_search_locations is not None
    return "namespace" if namespace else "other"


def _keep():
    while not _over.acquire(timeout=_PATIENCE):
        _write()


def _write():
    """The file as a whole, or one warning: a profile is not worth an init."""
    if posix.getpid() != _header["pid"] or _header.get("given_up"):
        return  # a child of the application's, or in vain
    with _writing:
        _header["written"], _header["nodes"] = _use.size(), len(_nodes)
        part = f"{_header['path']}.part"
        try:
            with open(part, "w", encoding="utf-8", errors="replace") as file:
                file.write(_json(_report()))
            posix.replace(part, _header["path"])
        except Exception as error:
            _header["given_up"] = True
            logs.warn(f"WSGI_LAMBDA_PROFILE_INIT: no profile is written: {error}")


def _report():
    now, nodes = perf_counter_ns(), list(_nodes)
    places = {node: place for place, node in enumerate(nodes)}
    relations = _header.get("relations", _NO_RELATIONS)
    return {
        "version": 1,
        "python": sys.version.partition(" ")[0],
        **{name: _header[name] for name in ("handler", "task_root", "deferral")},
        "complete": "failed" in _header,
        "failed": _header.get("failed"),
        "phases": {"app": now - _header["began"] - _phases.get("prepare", 0), **_phases},
        "events": _use.events if _use.watching else None,
        "imports": [
            {
                "name": node.name,
                "parent": places.get(node.parent),
                "start": node.start - _header["began"],
                "ns": now - node.start if node.ns is None else node.ns,
                "how": node.how,
                "compile_ns": node.compile_ns,
                "file": node.file,
                "touched_by": node.touched_by,
                "error": node.error,
                "event": node.event,
                "thread": node.thread,
                "used": _use.saw(node) if node.name in relations.with_code else None,
                "held_by": relations.held_by.get(node.name, []),
                "base_of": relations.base_of.get(node.name, []),
            }
            for node in nodes
        ],
    }


_ESCAPES = {number: f"\\u{number:04x}" for number in range(32)} | {34: '\\"', 92: "\\\\"}


def _json(value):
    """Not by the module of that name: importing it, and using it, would be seen as the application's doing."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",\n".join(map(_json, value)) + "]"
    return '"' + str(value).translate(_ESCAPES) + '"'
