"""The start of the process: module paths, the garbage collector, and what the application's import needs."""

import gc
import os
import sys

import _wsgi_lambda_context as context
import _wsgi_lambda_imports as imports
import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_logs as logs
import _wsgi_lambda_state as state


def start(function, memory_mb, task_root, layer_dir, managed, defer_imports, lazy_imports):
    """Builds sys.path as the managed runtime does, and processes `.pth` files where there are any.

    Unlike in the managed runtime, layers stay on sys.path when PYTHONPATH is set.
    """
    import faulthandler

    for name in ("_WSGI_LAMBDA_FORK_FIRST", "_WSGI_LAMBDA_IMPORT_TIME"):
        os.environ.pop(name, None)
    faulthandler.enable()  # a crash in C code writes the Python stack to the log
    context.set_function(function)
    _relax_collector(memory_mb)
    import site  # Python's start has imported it already, except for a profile, which shows its imports

    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [os.path.join(layer_dir, "python", "lib", version, "site-packages"), os.path.join(layer_dir, "python")]
    paths = [task_root, *layers]
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    if managed and os.path.isdir("/var/runtime"):
        sys.path.append("/var/runtime")
    for path in paths:
        if any(name.endswith(".pth") for name in _names_in(path)):
            site.addsitedir(path)
    imports.begin(defer_imports, lazy_imports)
    _offer_snapshot_hooks()


def _names_in(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _offer_snapshot_hooks():
    """Makes `snapshot_restore_py` importable where it is not installed: the managed runtimes bring it."""
    from _frozen_importlib_external import PathFinder

    if PathFinder.find_spec("snapshot_restore_py") is None:
        sys.modules.setdefault("snapshot_restore_py", state.deferred("snapshot").make_registry())


# The collector's first threshold: Python's, and ours during the application's import.
_thresholds = None


def _relax_collector(memory_mb):
    """Makes the garbage collector run seldom until `after_import`. The objects of an import live as long as the
    process, and collections would take a tenth of its time. An import that makes much cyclic garbage still stays below
    the function's memory: the threshold is 1000 objects per megabyte, and an object takes some 200 bytes.

    Not by `gc.disable`, since the application can ask whether the collector is enabled."""
    global _thresholds
    before = gc.get_threshold()[0]
    if before:
        gc.set_threshold(max(before, 1000 * memory_mb))
        _thresholds = before, gc.get_threshold()[0]


def after_import():
    """Ends what was different for the application's import. Its objects are frozen: collections in requests do not
    visit them, and so do not copy the memory that workers share."""
    imports.end()
    logs.hide_events()
    if _thresholds and gc.get_threshold()[0] == _thresholds[1]:  # otherwise the application has set its own
        gc.set_threshold(_thresholds[0])
    gc.freeze()
    lifecycle.leave_keyboard()
