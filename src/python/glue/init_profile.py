"""The profile of an init: a tree of its imports with their times. Deferred: only `WSGI_LAMBDA_PROFILE_INIT` needs it.

It is a JSON file, which is written as a whole or not at all. `src/cli/replay/profile` reads it. Times are nanoseconds.

    version     1. Later versions may add keys; the number changes if a key changes its meaning
    python      "3.13.1"
    handler     the name of the handler, as the function has it
    task_root   the application's folder
    complete    false if the init was still running when the file was written, as in the file of an init that was killed
    failed      the name of the exception that ended the init, or null
    deferral    whether imports were deferred (`WSGI_LAMBDA_DEFER_IMPORTS`)
    phases      times: `interpreter` (Python's start), `glue` (our own Python code), `prepare` (`site`, paths, `.pth`
                files), `app` (from there to the end of the application's import, or until now), and from the first
                response on `profile` (what the profile itself took at the end of the init)
    events      how many invocations were served when the file was written; it is written again when there is news.
                Null if they are not watched, as with several workers
    imports     a list, in the order in which they began. Each has:
        name        the module's name; for a factory the handler
        parent      the import that waited for it: its index in this list, or null
        start, ns   when it began, counted from the start of the profile, and how long it took with the imports that it
                    waited for
        how         "pyc", "compiled" (from source), "extension", "built in", "frozen", "namespace", "deferred" (its
                    code has not run), "not found", "failed", "factory", "other"
        compile_ns  the time in Python's compiler, or null
        file        the file of its code, or null
        touched_by  if it was deferred: the module that made its code run
        error       the name of the exception, if it failed
        event       whether it was imported while a request was served, not in the init
        thread      whether another thread waited for it: its time is not part of the main thread's
        used        whether its code ran while requests were served; null if that is unknown or it has no code
        held_by     the modules that have it, or something of it, among their names
        base_of     the modules with classes that inherit from classes of it
"""

import _frozen_importlib
import _frozen_importlib_external as external
import posix
import sys
from _thread import allocate_lock, get_ident, start_new_thread
from time import perf_counter_ns

import _wsgi_lambda_development_server as development_server
import _wsgi_lambda_logs as logs
from _wsgi_lambda_module_use import ModuleUse, Relations, plain_spec

# While the init runs the file is written at this interval, in seconds: the init may be killed.
_INTERVAL = 1.0

_find_and_load = _frozen_importlib._find_and_load
_source_to_code = external.SourceLoader.source_to_code
_load_deferred = development_server.load

_nodes = []  # in the order in which they began
_done = {}  # by name: imports that succeeded
_current = {}  # by thread: the import that it waits for
_header = {}  # what is known of the init, some of it for the file
_phases = {}
_use = ModuleUse()
_NO_RELATIONS = Relations(())
_over = allocate_lock()  # held while the init runs
_writing = allocate_lock()


class Node:
    """An import, the run of a deferred module's code, or the call of a factory."""

    __slots__ = (
        "children",
        "compile_ns",
        "error",
        "event",
        "file",
        "how",
        "name",
        "ns",
        "parent",
        "start",
        "thread",
        "touched_by",
    )

    def __init__(self, name, parent, thread):
        self.name, self.parent, self.thread = name, parent, thread
        self.event = "failed" in _header
        self.compile_ns = self.error = self.file = self.touched_by = self.ns = None
        self.how = "other"
        self.children = []
        self.start = perf_counter_ns()


def begin(path, header, phases):
    """Records from here on. Returns false and does nothing if the file exists: only the first of several starts is
    recorded. `header` has the handler, task_root and deferral, `phases` the times of the phases before this one."""
    if not path.startswith("/"):
        path = f"{posix.getcwd()}/{path}"  # the application may change the folder
    try:
        posix.stat(path)
        return False
    except OSError:
        pass
    _header.update(header, path=path, pid=posix.getpid(), main=get_ident())
    _header["began"] = perf_counter_ns()
    _phases.update(phases)
    _hook_imports()
    _use.prepare()
    # Each import is a frame deeper than without the profile. Imports that nest as deep as Python allows have to work
    # here, too.
    limit = sys.getrecursionlimit()
    _header["recursion"] = (limit, limit + limit // 4)
    sys.setrecursionlimit(limit + limit // 4)
    _over.acquire()
    start_new_thread(_write_at_intervals, ())
    return True


def _hook_imports():
    """Puts the functions that record in place of Python's and of the deferral's."""
    for function, like in (
        (find_and_load, _find_and_load),
        (source_to_code, _source_to_code),
        (load_deferred, _find_and_load),
        (factory, _find_and_load),
    ):
        # Python leaves the import system's frames out of tracebacks and of the `stacklevel` of warnings. It has to
        # leave out our frames between them, too, and recognises them by the file's name.
        function.__code__ = function.__code__.replace(co_filename=like.__code__.co_filename)
    # The C code of `import` looks this up by name (CPython, `import_find_and_load`), and only for modules that are not
    # in sys.modules.
    _frozen_importlib._find_and_load = find_and_load
    external.SourceLoader.source_to_code = source_to_code
    development_server.load = load_deferred


def prepared():
    """Notes that the application's import begins."""
    _phases["prepare"] = perf_counter_ns() - _header["began"]


def end_init(error_name, watch):
    """Notes that the init is over. `error_name` is the name of the exception that ended it, or None. From here on the
    use of modules is recorded, if `watch` is true and the init succeeded."""
    ended = perf_counter_ns()
    failures = [node.start + node.ns for node in _nodes if node.error and node.parent is None and not node.thread]
    if error_name is not None and failures:
        # Later imports only served to describe the error.
        ended = max(failures)
        _nodes[:] = [node for node in _nodes if node.start < ended]
    _phases["app"] = ended - _header["began"] - _phases["prepare"]
    _header["failed"] = error_name
    _over.release()
    limit, raised = _header["recursion"]
    if sys.getrecursionlimit() == raised:  # otherwise the application has set its own
        sys.setrecursionlimit(limit)
    began = perf_counter_ns()
    _header["relations"] = Relations({node.name for node in _nodes})
    if watch and error_name is None:
        _use.begin()
    _write()
    _phases["profile"] = perf_counter_ns() - began


def note_response():
    """After a response: writes the file again if there is more to say."""
    _use.events += 1
    if _use.events == 1 or _use.size() != _header["written"] or len(_nodes) != _header["nodes"]:
        _write()


def find_and_load(name, import_):
    """Records an import. Runs in place of importlib's function."""
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
        # `import a.b`, but the code of `a` has imported `a.b` already, and that import is recorded.
        _nodes.remove(node)
        if node.parent is not None:
            node.parent.children.remove(node)
        return module
    _done[name] = node
    _describe(node, sys.modules.get(name))
    return module


def source_to_code(self, *args, **kwargs):
    """Records the time in the compiler. Runs in place of importlib's method."""
    began = perf_counter_ns()
    try:
        return _source_to_code(self, *args, **kwargs)
    finally:
        node = _current.get(get_ident())
        if node is not None and node.name == getattr(self, "name", None):
            node.compile_ns = perf_counter_ns() - began


def load_deferred(module):
    """Records the run of a deferred module's code. Runs in place of `development_server.load`."""
    if not development_server.is_deferred(module):
        return _load_deferred(module)
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(("<frozen importlib", "wsgi_lambda/")):
        frame = frame.f_back
    node = _enter(module.__name__)
    node.touched_by = str(frame.f_globals.get("__name__"))
    del frame
    try:
        _load_deferred(module)
    except BaseException as error:
        node.how, node.error = "failed", type(error).__name__
        raise
    finally:
        _leave(node)
    _describe(node, module)


def factory(name, function):
    """Calls the factory that the handler `name` leads to; records the call and returns the application."""
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
    """Ends what `_enter` began, and imports within it that have not ended, as switches between greenlets can leave
    them."""
    node.ns = perf_counter_ns() - node.start
    if node.parent is None:
        _current.pop(get_ident(), None)
    else:
        _current[get_ident()] = node.parent
    # `import a.b` imports `a` within the import of `a.b`. It is shown before that, not as a part of it.
    for child in [child for child in node.children if node.name.startswith(child.name + ".")]:
        if child.ns is None:
            continue
        node.children.remove(child)
        node.start += child.ns  # its end stays where it is
        node.ns -= child.ns
        child.parent = node.parent
        if node.parent is not None:
            node.parent.children.append(child)


def _describe(node, module):
    spec = plain_spec(module)
    if spec is not None and getattr(spec, "has_location", False):
        node.file = spec.origin
    if development_server.is_deferred(module):
        node.how = "deferred"
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


def _write_at_intervals():
    while not _over.acquire(timeout=_INTERVAL):
        _write()


def _write():
    """Writes the file as a whole. An error is logged once, and must not fail the init."""
    if posix.getpid() != _header["pid"] or _header.get("given_up"):
        return  # a child that the application forked, or a write has failed
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
    """Returns what the file holds, a dict: see the top of this file."""
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
    """Returns a value as JSON. Without the module `json`, whose import and use would appear in the profile."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",\n".join(map(_json, value)) + "]"
    return '"' + str(value).translate(_ESCAPES) + '"'
