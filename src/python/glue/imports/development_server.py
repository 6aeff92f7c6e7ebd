"""Leaves out Werkzeug's development server, which every Flask application imports and no function runs.

With it come `http.server`, `socketserver`, `ssl` and others: an eighth of Flask's start (`docs/speed.md`). Werkzeug and
Flask import two of its functions by name. They get functions that call the real ones; whoever asks for anything else has
the real module imported first, into the same module object (PEP 562). Its type is Python's, and so are its `__spec__`
and `__loader__`. `WSGI_LAMBDA_DEFER_IMPORTS=false` leaves this file out.
"""

from _thread import RLock

NAME = "werkzeug.serving"
FUNCTIONS = ("run_simple", "is_running_from_reloader")

_waiting = {}  # the modules whose code has not run: of each its own loader, and its names at first
_running = set()
_lock = RLock()
_looking = False


class Finder:
    """Finds the module, for `sys.meta_path`. It asks all other finders, so that a tool's has its say."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        global _looking
        if name != NAME or _looking:
            return None
        if target is not None:  # `importlib.reload`
            load(target)
            return None
        import importlib.util

        _looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            _looking = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader:
    """Stands before the module's own loader until the module is imported."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        return self.real.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.real

        def __getattr__(name):
            if name != "__path__":  # by which `from … import …` asks whether it is a package
                load(module)
                if name in names:
                    return names[name]
            raise AttributeError(f"module {NAME!r} has no attribute {name!r}", name=name, obj=module)

        def __dir__():
            load(module)
            return sorted(names)

        names = vars(module)
        names.update(__getattr__=__getattr__, __dir__=__dir__)
        names.update((name, _stand_in(module, name)) for name in FUNCTIONS)
        _waiting[module] = self.real, dict(names)


def _stand_in(module, name):
    """A function that imports the real module when it is called."""

    def function(*args, **kwargs):
        load(module)
        return function.__wrapped__(*args, **kwargs)

    function.__module__, function.__name__, function.__qualname__ = NAME, name, name
    return function


def is_waiting(module):
    """Whether the module's code has not run yet."""
    return module in _waiting and module not in _running


def load(module):
    """Runs the module's code. When that fails the module is as it was, and the next use tries again."""
    with _lock:
        if module not in _waiting or module in _running:
            return  # another thread was first, or it is the module's own code that asks
        names = vars(module)
        if names.get("__spec__") is not _waiting[module][1]["__spec__"]:
            # `importlib.reload` has run its code already.
            del _waiting[module], names["__getattr__"], names["__dir__"]
            return
        before, (loader, at_first) = dict(names), _waiting[module]
        _running.add(module)
        try:
            loader.exec_module(module)
        except BaseException:
            names.clear()
            names.update(before)
            raise
        finally:
            _running.discard(module)
        del _waiting[module], names["__getattr__"], names["__dir__"]
        for name in FUNCTIONS:
            stand_in = at_first[name]
            stand_in.__wrapped__, stand_in.__doc__ = names[name], names[name].__doc__
            names[name] = stand_in  # those who have it and those who ask now get the same
        # What the application has set meanwhile stays, as it would on a module that is all there.
        names.update((name, value) for name, value in before.items() if at_first.get(name, names) is not value)
