"""Imports that a server may never need, put off until something of the module is touched.

Only modules of the standard library whose import neither fails nor does anything but define names, and of Werkzeug its
development server, which every Flask application imports and none on Lambda runs. `import decimal` then costs nothing,
`from decimal import Decimal` what it always did.
"""

import sys

import _frozen_importlib
from _thread import get_ident

ModuleType, FunctionType = type(sys), type(lambda: None)  # `types` need not be imported for them

# What error reports need is not here: it must not be loaded at the moment at which the stack or the memory is full.
STANDARD = frozenset(
    (
        "calendar",
        "csv",
        "decimal",
        "difflib",
        "email.base64mime",
        "email.generator",
        "email.header",
        "email.parser",
        "email.policy",
        "email.quoprimime",
        "email.utils",
        "fnmatch",
        "glob",
        "hmac",
        "importlib.metadata",
        "ipaddress",
        "mimetypes",
        "pkgutil",
        "platform",
        "pprint",
        "secrets",
        "shutil",
        "stringprep",
        "tempfile",
        "textwrap",
        "uuid",
    )
)

# Functions that a package imports by name from a put-off module of its own: the package gets a stand-in, which calls
# the function; everybody else gets the function.
FUNCTIONS = {"werkzeug.serving": (("werkzeug", "flask"), ("run_simple", "is_running_from_reloader"))}

# What the import system itself reads of a module, and what says no more than which module it is.
_QUIET = frozenset(("__spec__", "__name__", "__loader__", "__package__", "__path__", "__file__", "__cached__", "__class__"))

_get = ModuleType.__getattribute__


class Deferred(ModuleType):
    """A module whose code has not run yet."""

    def __getattribute__(self, name):
        if name in _QUIET or _running.get(self) == get_ident():
            return _get(self, name)
        stand_in = _stand_in(self, name)
        if stand_in is not None:
            return stand_in
        load(self)
        return getattr(self, name)

    def __setattr__(self, name, value):
        # The import system gives a package its submodules: they must not be lost, nor load the package.
        if name not in _QUIET and not isinstance(value, ModuleType):
            load(self)
        ModuleType.__setattr__(self, name, value)

    def __delattr__(self, name):
        load(self)
        ModuleType.__delattr__(self, name)

    def __dir__(self):
        load(self)
        return dir(self)


class _Loader:
    """Stands before a module's loader until the module is loaded."""

    def __init__(self, real, spec):
        self.real, self.spec = real, spec

    def __getattr__(self, name):
        return getattr(self.real, name)

    def create_module(self, spec):
        # Ours would read the code already (`folders.py`), and makes no module.
        return None if getattr(type(self.real), "reads_ahead", False) else self.real.create_module(spec)

    def exec_module(self, module):
        if type(module) is not ModuleType:  # a tool's own kind of module
            _replace(module, self.spec, self, self.real)
            self.real.exec_module(module)
            return
        _loaders[module] = self
        module.__class__ = Deferred


# Of each module that waits. Its `__spec__` may have another, or be gone: tools that wait for a module's import stand
# before its loader with one of their own.
_loaders = {}

_looking = False


def find_spec(name, path=None, target=None):
    """The module itself is the finder, and stands first. Leaves everything else to the finders behind it."""
    global _looking
    if _looking or (name not in STANDARD and name not in FUNCTIONS):
        return None
    if target is not None:  # `importlib.reload`
        load(target)
        return None
    _looking = True
    try:
        spec = _frozen_importlib._find_spec(name, path)
    finally:
        _looking = False
    if spec is not None and hasattr(spec.loader, "exec_module") and hasattr(spec.loader, "create_module"):
        spec.loader = _Loader(spec.loader, spec)
    return spec


# The modules whose code is running, and the threads that run it: to them alone an unfinished module shows itself.
_running = {}


def load(module):
    """Runs the module's code. When that fails the module is as it was, and the next touch tries again."""
    loader = _loaders.get(module)
    if loader is None:
        return  # another thread was first
    spec = loader.spec
    with _frozen_importlib._ModuleLockManager(spec.name):
        if _get(module, "__class__") is not Deferred or module in _running:
            return  # another thread was first, or it is the module's own code that asks
        names = _get(module, "__dict__")
        before = dict(names)
        _running[module] = get_ident()
        try:
            _replace(module, spec, loader, loader.real)
            loader.real.exec_module(module)
            module.__class__ = ModuleType
            del _loaders[module]
        except BaseException:
            names.clear()
            names.update(before)
            _replace(module, spec, loader.real, loader)
            raise
        finally:
            del _running[module]
    _replace_stand_ins(spec.name, vars(module))


def _replace(module, spec, loader, other):
    if _get(module, "__loader__") is loader:
        ModuleType.__setattr__(module, "__loader__", other)
    if spec.loader is loader:
        spec.loader = other


# For each put-off module: the functions that stand in for its own.
_stand_ins = {}


def _stand_in(module, name):
    module_name = _get(module, "__name__")
    packages, functions = FUNCTIONS.get(module_name, ((), ()))
    if name not in functions:
        return None
    asking = sys._getframe(2).f_globals.get("__name__", "")
    if asking.partition(".")[0] not in packages:
        return None
    made = _stand_ins.setdefault(module_name, {})
    if name not in made:

        def function(*args, **kwargs):
            load(module)
            return getattr(module, name)(*args, **kwargs)

        function.__name__ = function.__qualname__ = name
        function.__module__ = module_name
        made[name] = function
    return made[name]


def _replace_stand_ins(module_name, functions):
    """Gives the packages the functions themselves, also where they have passed the stand-ins on to each other."""
    real = {stand_in: functions[name] for name, stand_in in _stand_ins.pop(module_name, {}).items()}
    packages, _ = FUNCTIONS.get(module_name, ((), ()))
    for name, module in list(sys.modules.items()):
        if real and name.partition(".")[0] in packages and type(module) is ModuleType:
            names = vars(module)
            names.update([(key, real[value]) for key, value in names.items() if type(value) is FunctionType and value in real])
