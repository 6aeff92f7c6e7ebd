"""Which modules' code runs while requests are served, and which modules refer to which: for `init_profile.py`."""

import sys
import threading

import _wsgi_lambda_development_server as development_server

# One of `sys.monitoring`'s six tool ids. PEP 669 ("Tool identifiers") has others for debuggers, coverage and profilers.
_TOOL = 4

_get_module = type.__dict__["__module__"].__get__
_get_bases = type.__dict__["__mro__"].__get__
# As in `types`. That module is not imported: it would appear in the profile.
FunctionType, ModuleType = type(lambda: None), type(sys)
BuiltinFunctionType, MethodWrapperType = type(len), type(object().__str__)
_own = (BuiltinFunctionType, MethodWrapperType)
_of_class = (type(str.join), type(object.__init__))  # MethodDescriptorType, WrapperDescriptorType


class ModuleUse:
    """Records the modules whose code runs."""

    def __init__(self):
        self.events = 0  # how many requests got a response
        self.watching = False
        self.seen = set()  # names of modules

    def prepare(self):
        """Before the application is imported: Python 3.11 can watch only threads that were told to when they began."""
        if not hasattr(sys, "monitoring"):
            threading.setprofile(self._profile)

    def begin(self):
        """Records from here on, unless the application uses the tool id."""
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is None:
            self.watching = True
            sys.setprofile(self._profile)
            return
        try:
            monitoring.use_tool_id(_TOOL, "wsgi-lambda --profile-init")
        except ValueError:  # the application has taken it
            return
        self.watching = True
        events = monitoring.events
        for event, function in (
            (events.PY_START, self._started),
            (events.PY_RESUME, self._started),
            (events.CALL, self._called),
        ):
            monitoring.register_callback(_TOOL, event, function)
        monitoring.set_events(_TOOL, events.PY_START | events.PY_RESUME | events.CALL)

    def size(self):
        """Returns how many modules were recorded so far."""
        return len(self.seen)

    def saw(self, node):
        """Returns whether a module's code ran; None if that is unknown."""
        if not self.watching:
            return None
        if node.name in self.seen:
            return True
        # Calls from C code to C code cannot be watched.
        return None if node.how in ("extension", "built in") else False

    # Both return DISABLE: one event for each place in the code is enough.

    def _started(self, code, offset):
        self._note(sys._getframe(1).f_globals.get("__name__"))
        return sys.monitoring.DISABLE

    def _called(self, code, offset, function, first):
        self._note(_module_of_native(function))
        return sys.monitoring.DISABLE

    def _profile(self, frame, event, argument):
        if not self.watching:
            return
        if event == "call":
            self._note(frame.f_globals.get("__name__"))
        elif event == "c_call":
            self._note(_module_of_native(argument))

    def _note(self, name):
        if type(name) is str:
            self.seen.add(name)


def _module_of_class(kind):
    """Returns the name of the module of a class; None if `__module__` is missing or is no str."""
    try:
        name = _get_module(kind)
    except AttributeError:
        return None
    return name if type(name) is str else None


def _module_of_native(function):
    """Returns the name of the module of a C function or of a class; None for all else, where asking could run the
    application's code."""
    kind = type(function)
    if kind in _own:
        name = function.__module__ if kind is BuiltinFunctionType else None
        return name if name is not None else _module_of_object(function.__self__)
    if kind in _of_class:
        return _module_of_class(function.__objclass__)
    return _module_of_class(function) if issubclass(kind, type) else None


def _module_of_object(value):
    """Returns the name of the module that a value is, or that it or its class was defined in. Runs no code of the
    value, as the `__class__` of a proxy would."""
    kind = type(value)
    if issubclass(kind, ModuleType):
        return ModuleType.__getattribute__(value, "__dict__").get("__name__")
    if kind is FunctionType:
        return value.__module__
    if kind is BuiltinFunctionType:
        return value.__module__
    return _module_of_class(value if issubclass(kind, type) else kind)


def plain_spec(module):
    """Returns a module's spec without loading a lazy module; None for other objects."""
    if not issubclass(type(module), ModuleType):
        return None  # an object that has put itself into sys.modules
    return ModuleType.__getattribute__(module, "__dict__").get("__spec__")


class Relations:
    """Which modules refer to which others. The import of a module that is in sys.modules already cannot be recorded,
    but the importer keeps what it imported among its names."""

    def __init__(self, names):
        """Finds the relations of the modules with these names, a set, as they are now."""
        self.with_code = set()  # names of modules that define functions or classes
        self.held_by = {}  # by name: the modules that have it, or something of it, among their names
        self.base_of = {}  # by name: the modules with classes that inherit from classes of it
        for holder, module in list(sys.modules.items()) if names else ():
            is_odd = not issubclass(type(module), ModuleType) or development_server.is_deferred(module)
            if is_odd or holder.startswith("_wsgi_lambda_"):
                continue
            held, bases = self._references(holder, module)
            for found, others in ((self.held_by, held | bases), (self.base_of, bases)):
                for name in names & others:
                    found.setdefault(name, []).append(holder)
        for found in (self.held_by, self.base_of):
            for holders in found.values():
                holders.sort()

    def _references(self, holder, module):
        """Returns two sets of names: the modules that a module has something of, and those of its classes' bases."""
        held, bases = set(), set()
        for name, value in list(ModuleType.__getattribute__(module, "__dict__").items()):
            of = _module_of_object(value)
            if type(of) is not str:
                continue
            if of != holder:
                # The import system sets each submodule as an attribute of its package, whichever module imported it.
                if of != f"{holder}.{name}" or not issubclass(type(value), ModuleType):
                    held.add(of)
            elif type(value) is FunctionType:
                self.with_code.add(holder)
            elif issubclass(type(value), type):
                self.with_code.add(holder)
                bases.update(map(_module_of_class, _get_bases(value)))
        bases.discard(holder)
        return held, bases
