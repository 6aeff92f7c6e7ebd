"""Defers Werkzeug's development server, `werkzeug.serving`. Every Flask application imports it, and no function uses it.

It imports `http.server`, `socketserver`, `ssl` and others, an eighth of Flask's start (`docs/speed.md`). Werkzeug and
Flask import two of its functions by name. They get stand-ins that call the real functions. The first use of any other
attribute runs the module's code, in the same module object (PEP 562). Its type, `__spec__` and `__loader__` are
Python's own. `WSGI_LAMBDA_DEFER_IMPORTS=false` turns this off.
"""

from _thread import RLock

NAME = "werkzeug.serving"
FUNCTIONS = ("run_simple", "is_running_from_reloader")

_deferred = {}  # by module whose code has not run: its own loader, and its names at first
_running = set()  # modules whose code is running
_lock = RLock()
_searching = False  # whether the finder is asking the other finders


class Finder:
    """Finds the module, for `sys.meta_path`. It asks all other finders, so those of tools still work."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        global _searching
        if name != NAME or _searching:
            return None
        if target is not None:  # from `importlib.reload`
            load(target)
            return None
        import importlib.util

        _searching = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            _searching = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader:
    """Makes the module without running its code."""

    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        return self.real.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.real

        def __getattr__(name):
            if name != "__path__":  # `from … import …` asks for it to learn whether this is a package
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
        _deferred[module] = self.real, dict(names)


def _stand_in(module, name):
    """Returns a function that runs the module's code when it is called, and then calls the real function."""

    def function(*args, **kwargs):
        load(module)
        return function.__wrapped__(*args, **kwargs)

    function.__module__, function.__name__, function.__qualname__ = NAME, name, name
    return function


def is_deferred(module):
    """Returns whether the module's code has not run yet."""
    return module in _deferred and module not in _running


def load(module):
    """Runs the module's code. If that fails, the module is left as it was, and the next use tries again."""
    with _lock:
        if module not in _deferred or module in _running:
            return  # another thread was first, or the module's own code uses the module
        names = vars(module)
        if names.get("__spec__") is not _deferred[module][1]["__spec__"]:
            # `importlib.reload` has run its code already.
            del _deferred[module], names["__getattr__"], names["__dir__"]
            return
        before, (loader, at_first) = dict(names), _deferred[module]
        _running.add(module)
        try:
            loader.exec_module(module)
        except BaseException:
            names.clear()
            names.update(before)
            raise
        finally:
            _running.discard(module)
        del _deferred[module], names["__getattr__"], names["__dir__"]
        for name in FUNCTIONS:
            stand_in = at_first[name]
            stand_in.__wrapped__, stand_in.__doc__ = names[name], names[name].__doc__
            names[name] = stand_in  # so that earlier and later imports get the same object
        # Attributes that the application has set meanwhile stay, as on an ordinary module.
        names.update((name, value) for name, value in before.items() if at_first.get(name, names) is not value)
