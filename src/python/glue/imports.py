"""Moments at which the application imports a module."""

import sys

from _frozen_importlib import _find_spec

_waiting = {}


def after_import(name, prepare):
    """Has `prepare(module)` called when the module has been imported: now, later, or never. Importing `logging` for it
    costs milliseconds that an application without it need not pay."""
    if name in sys.modules:
        prepare(sys.modules[name])
        return
    _waiting[name] = prepare
    finder = sys.modules[__name__]
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)


_looking = set()


def find_spec(name, path=None, target=None):
    """The module itself is the finder, one for all that is waited for: every import of the application asks it first."""
    if name not in _waiting or name in _looking:
        return None
    _looking.add(name)  # else it would find itself
    try:
        spec = _find_spec(name, path, target)
    finally:
        _looking.discard(name)
    if spec is None or not hasattr(spec.loader, "exec_module"):
        return spec
    execute = spec.loader.exec_module

    def execute_and_prepare(module):
        execute(module)
        prepare = _waiting.pop(name, None)  # once: a look at the spec alone imports nothing
        if prepare is not None:
            prepare(module)

    spec.loader.exec_module = execute_and_prepare
    return spec
