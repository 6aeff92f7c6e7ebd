"""Imports the module that IMPORTED names and writes to the file LOOK what came of it: for plain Python and for the runtime."""

import importlib
import json
import os
import sys


def kind(value):
    named = type(value)
    # Some classes have a property in the place of a name.
    return f"{named.__module__ if isinstance(named.__module__, str) else '?'}.{named.__qualname__}"


def look(module):
    spec = getattr(module, "__spec__", None)
    names = dict(object.__getattribute__(module, "__dict__")) if issubclass(type(module), type(sys)) else {}
    return {
        "kinds": [kind(module), kind(getattr(spec, "loader", None)), str(getattr(spec, "origin", None))],
        "names": sorted(f"{name}: {kind(value)}" for name, value in names.items()),
    }


environment = dict(os.environ)  # before the module changes it
try:
    importlib.import_module(os.environ["IMPORTED"])
    error = None
except BaseException as raised:
    error = f"{type(raised).__module__}.{type(raised).__qualname__}: {raised}"

with open(os.environ["LOOK"], "w") as file:
    modules = {name: look(module) for name, module in sorted(sys.modules.items())}
    json.dump({"error": error, "modules": modules, "environment": environment, "path": sys.path}, file)


def app(environ, start_response):
    start_response("200 OK", [])
    return []
