"""The start of the process: where modules are found."""

import _signal
import gc
import os
import sys

import _wsgi_lambda_context as context
import _wsgi_lambda_deferred as deferred
import _wsgi_lambda_folders as folders
import _wsgi_lambda_imports as imports
import _wsgi_lambda_state as state
from _wsgi_lambda_patterns import prepare_patterns


def start(function, task_root, layer_dir, managed, deferral):
    """Imports `site`, builds sys.path as the managed runtime does, and works through `.pth` files where there are any.

    Unlike there, layers do not vanish when PYTHONPATH is set.
    """
    import faulthandler

    faulthandler.enable()  # a crash in C code leaves the Python stack in the log, at no cost before it
    context.set_function(function)
    prepare_patterns()
    _hasten_imports(deferral)
    # Not by Python's own start, since it imports what `.pth` files and `sitecustomize` ask for: tools for monitoring are
    # as large as frameworks.
    import site

    _hasten_imports(deferral)
    sys.meta_path.append(sys.modules[__name__])
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [os.path.join(layer_dir, "python", "lib", version, "site-packages"), os.path.join(layer_dir, "python")]
    paths = [task_root, *layers]
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    if managed and os.path.isdir("/var/runtime"):
        sys.path.append("/var/runtime")
    for path in paths:
        if any(name.endswith(".pth") for name in folders.names_in(path)):
            site.addsitedir(path)


def find_spec(name, path=None, target=None):
    """The module itself finds AWS's registry of SnapStart hooks where it is not installed. Last in line, so that a real
    one wins."""
    return state.load("snapshot").find_spec(name) if name == "snapshot_restore_py" else None


def prepare_logging(json_format, level, telemetry_fd):
    """Has `logging` configured as the managed runtime does, at the moment at which the application imports it."""
    os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)  # as there: children must not write to it
    try:
        os.fstat(telemetry_fd if telemetry_fd is not None else -1)
    except OSError:
        telemetry_fd = None
    imports.after_import(
        "logging", lambda logging: state.load("logs").configure(logging, json_format, level, telemetry_fd)
    )
    imports.after_import("django.views.debug", lambda debug: state.load("logs").hide_events(debug))


# Objects of an import live as long as the process: looking for cycles among them again and again costs a tenth of it.
_NEVER = 100_000_003  # tools multiply what they find, and it has to stay a C int
_threshold = gc.get_threshold()[0]


def _hasten_imports(deferral):
    """Until `after_import`, has modules found quickly and holds the garbage collector back, and from here on puts imports
    off. Done again after `site`, for what that has changed: finders that tools put first stand behind ours, and what is
    not ordinary any more is left to importlib.

    The collector not by `gc.disable`: an application's own call of that must stay visible."""
    for finder in (imports, deferred) if deferral else (imports,):
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        sys.meta_path.insert(0, finder)
    folders.find_quickly()
    if gc.get_threshold()[0] == _threshold:
        gc.set_threshold(_NEVER)
        gc.enable()


def after_import():
    """What came with the import is never looked at by a collection in a request, nor moved in memory that forked workers
    share.

    The signal module gives SIGINT Python's handler, which raises KeyboardInterrupt in whatever request comes next.
    Ctrl-C is to end the process, unless the application has a handler of its own."""
    folders.find_as_ever()
    if gc.get_threshold()[0] == _NEVER:  # else the application has set its own
        gc.set_threshold(_threshold)
    gc.freeze()
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
