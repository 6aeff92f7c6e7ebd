"""Moments at which the application imports a module."""

import sys


def after_import(name, prepare):
    """Has `prepare(module)` called when the module has been imported: now, later, or never."""
    if name in sys.modules:
        prepare(sys.modules[name])
    else:
        sys.meta_path.insert(0, _AfterImport(name, prepare))


class _AfterImport:
    """Does something at the moment at which the application imports a module, and not before: importing `logging` for
    it costs milliseconds that an application without it need not pay."""

    def __init__(self, module, prepare):
        self.module = module
        self.prepare = prepare
        self.looking = False

    def find_spec(self, name, path=None, target=None):
        if name != self.module or self.looking:
            return None
        from _frozen_importlib import _find_spec

        self.looking = True  # else it would find itself
        try:
            spec = _find_spec(name, path, target)
        finally:
            self.looking = False
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        execute = spec.loader.exec_module

        def execute_and_prepare(module):
            execute(module)
            if self in sys.meta_path:  # once: a look at the spec alone imports nothing
                sys.meta_path.remove(self)
                self.prepare(module)

        spec.loader.exec_module = execute_and_prepare
        return spec
