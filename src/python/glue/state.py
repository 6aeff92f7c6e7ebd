"""What the runtime gives to the other modules, and what one invocation leaves for them to read."""

import sys
from _frozen_importlib import ModuleSpec

request_id = ""
tenant_id = None

# What the runtime gives: `load(name)` makes a module of ours that is held back until it is wanted; `find_pattern(pattern,
# flags)` gives the arguments of `_sre.compile`, and is None without patterns.
load = None
find_pattern = None

# Whether a request is with the application, which the runtime writes too: an interrupt that comes later is dropped.
serving = False

# The descriptor into which the C handler of a signal writes, once it is there.
wakeup = None


def make_module(name, doc):
    """Makes a module that applications may import. It has a spec, for `importlib.util.find_spec`."""
    module = type(sys)(name, doc)
    module.__spec__ = ModuleSpec(name, None, origin="wsgi-lambda")
    return module
