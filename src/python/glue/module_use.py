"""Which modules' code runs while events are answered, and how modules depend on each other: for `profile.py`."""

import sys
import threading

import _wsgi_lambda_development_server as development_server

# One of `sys.monitoring`'s six. cProfile, coverage and debuggers have their own (PEP 669, "Tool identifiers").
_TOOL = 4

_get_module = type.__dict__["__module__"].__get__
_get_bases = type.__dict__["__mro__"].__get__
# The names that they have in `types`, whose import would be seen as the application's or Python's doing.
FunctionType, ModuleType = type(lambda: None), type(sys)
BuiltinFunctionType, MethodWrapperType = type(len), type(object().__str__)
_own = (BuiltinFunctionType, MethodWrapperType)
_of_class = (type(str.join), type(object.__init__))  # MethodDescriptorType, WrapperDescriptorType


class Use:
    """Notes the modules whose code runs."""

    def __init__(self):
        self.events = 0
        self.watching = False
        self.seen = set()

    def prepare(self):
        """Before the application: Python 3.11 can look only into threads that were told so when they began."""
        if not hasattr(sys, "monitoring"):
            threading.setprofile(self._profile)

    def begin(self):
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
        """How much was noted so far."""
        return len(self.seen)

    def saw(self, node):
        """Whether a module's code ran; None where that cannot be said."""
        if not self.watching:
            return None
        if node.name in self.seen:
            return True
        # What C code calls of C code is seen by nobody.
        return None if node.how in ("extension", "built in") else False

    # Each place in the code is of interest once.

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
    """None for one that has none, or something odd in its place."""
    try:
        name = _get_module(kind)
    except AttributeError:
        return None
    return name if type(name) is str else None


def _module_of_native(function):
    """The module of a function in C, or of a class. Of nothing else: asking may run the application's code."""
    kind = type(function)
    if kind in _own:
        name = function.__module__ if kind is BuiltinFunctionType else None
        return name if name is not None else _module_of_object(function.__self__)
    if kind in _of_class:
        return _module_of_class(function.__objclass__)
    return _module_of_class(function) if issubclass(kind, type) else None


def _module_of_object(value):
    """The module that a value is, or that it or its class was made in; without running a line of its own code, as a
    proxy's `__class__` would."""
    kind = type(value)
    if issubclass(kind, ModuleType):
        return ModuleType.__getattribute__(value, "__dict__").get("__name__")
    if kind is FunctionType:
        return value.__module__
    if kind is BuiltinFunctionType:
        return value.__module__
    return _module_of_class(value if issubclass(kind, type) else kind)


def plain_spec(module):
    """A module's spec, without waking a module that is lazy."""
    if not issubclass(type(module), ModuleType):
        return None  # something else that has put itself into sys.modules
    return ModuleType.__getattribute__(module, "__dict__").get("__spec__")


class Relations:
    """Which modules hold something of which others. Who imports a module that is there already goes unnoticed; what it
    takes of it stays among its names."""

    def __init__(self, names):
        """For modules of these names, as they are now."""
        self.with_code = set()
        self.held_by = {}
        self.base_of = {}
        for holder, module in list(sys.modules.items()) if names else ():
            waits = not issubclass(type(module), ModuleType) or development_server.is_waiting(module)
            if waits or holder.startswith("_wsgi_lambda_"):
                continue
            held, bases = set(), set()
            for name, value in list(ModuleType.__getattribute__(module, "__dict__").items()):
                of = _module_of_object(value)
                if type(of) is not str:
                    continue
                if of != holder:
                    # The import system gives a package each of its submodules, whoever imported it.
                    if of != f"{holder}.{name}" or not issubclass(type(value), ModuleType):
                        held.add(of)
                elif type(value) is FunctionType:
                    self.with_code.add(holder)
                elif issubclass(type(value), type):
                    self.with_code.add(holder)
                    bases.update(map(_module_of_class, _get_bases(value)))
            bases.discard(holder)
            for found, others in ((self.held_by, held | bases), (self.base_of, bases)):
                for name in names & others:
                    found.setdefault(name, []).append(holder)
        for found in (self.held_by, self.base_of):
            for holders in found.values():
                holders.sort()
