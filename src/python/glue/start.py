"""The start of the process: where modules are found."""

import _signal
import os
import sys

import _wsgi_lambda_context as context
import _wsgi_lambda_snapshot as snapshot


def start(function, task_root, layer_dir, managed):
    """Builds sys.path as the managed runtime does, and works through `.pth` files where there are any.

    Unlike there, layers do not vanish when PYTHONPATH is set.
    """
    import faulthandler

    context.set_function(function)
    sys.meta_path.append(snapshot.Hooks)
    faulthandler.enable()  # a crash in C code leaves the Python stack in the log, at no cost before it
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [os.path.join(layer_dir, "python", "lib", version, "site-packages"), os.path.join(layer_dir, "python")]
    paths = [task_root, *layers]
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    if managed and os.path.isdir("/var/runtime"):
        sys.path.append("/var/runtime")
    for path in paths:
        if _has_pth(path):
            import site

            site.addsitedir(path)


def _has_pth(path):
    try:
        return any(name.endswith(".pth") for name in os.listdir(path))
    except OSError:
        return False


def after_import():
    """The signal module gives SIGINT Python's handler, which raises KeyboardInterrupt in whatever request comes next.
    Ctrl-C is to end the process, unless the application has a handler of its own."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
