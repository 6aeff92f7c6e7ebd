"""The start of the process: where modules are found."""

import gc
import os
import sys

import _wsgi_lambda_context as context
import _wsgi_lambda_imports as imports
import _wsgi_lambda_lifecycle as lifecycle
import _wsgi_lambda_logs as logs
import _wsgi_lambda_state as state


def start(function, memory_mb, task_root, layer_dir, managed, deferral):
    """Builds sys.path as the managed runtime does, and works through `.pth` files where there are any.

    Unlike there, layers do not vanish when PYTHONPATH is set.
    """
    import faulthandler

    os.environ.pop("_WSGI_LAMBDA_FORK_FIRST", None)
    faulthandler.enable()  # a crash in C code leaves the Python stack in the log, at no cost before it
    context.set_function(function)
    _rest_collector(memory_mb)
    import site  # has run already, except for a profile, which shows what it imports

    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [os.path.join(layer_dir, "python", "lib", version, "site-packages"), os.path.join(layer_dir, "python")]
    paths = [task_root, *layers]
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    if managed and os.path.isdir("/var/runtime"):
        sys.path.append("/var/runtime")
    for path in paths:
        if any(name.endswith(".pth") for name in _names_in(path)):
            site.addsitedir(path)
    imports.begin(deferral)
    _offer_snapshot_hooks()


def _names_in(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return ()


def _offer_snapshot_hooks():
    """Applications import AWS's registry of SnapStart hooks, which the managed runtimes bring along. Where nobody has
    installed it, ours is there."""
    from _frozen_importlib_external import PathFinder

    if PathFinder.find_spec("snapshot_restore_py") is None:
        sys.modules.setdefault("snapshot_restore_py", state.load("snapshot").make_registry())


_thresholds = None


def _rest_collector(memory_mb):
    """Has the garbage collector look for cycles seldom until `after_import`: what an import makes lives as long as the
    process, and looking at it again and again costs a tenth of it. An import that makes garbage in cycles all the same
    stays below the function's memory, since an object takes some two hundred bytes.

    Not by `gc.disable`: an application's own call of that must stay visible."""
    global _thresholds
    before = gc.get_threshold()[0]
    if before:
        gc.set_threshold(max(before, 1000 * memory_mb))
        _thresholds = before, gc.get_threshold()[0]


def after_import():
    """What came with the import is never looked at by a collection in a request, nor moved in memory that forked workers
    share."""
    imports.end()
    logs.hide_events()
    if _thresholds and gc.get_threshold()[0] == _thresholds[1]:  # else the application has set its own
        gc.set_threshold(_thresholds[0])
    gc.freeze()
    lifecycle.leave_keyboard()
