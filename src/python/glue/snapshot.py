"""SnapStart: AWS's registry of hooks where it is missing, and their turn before and after."""

import sys

import _wsgi_lambda_state as state


def make_registry():
    """Makes `snapshot_restore_py`: AWS's registry of SnapStart hooks (its 1.0.0), which the managed runtimes bring
    along."""
    module = state.make_module("snapshot_restore_py", "AWS's registry of SnapStart hooks, as wsgi-lambda has it.")
    before, after = [], []

    def registrar(hooks):
        def register(function, *args, **kwargs):
            hooks.append((function, args, kwargs))
            return function

        return register

    module.register_before_snapshot = registrar(before)
    module.register_after_restore = registrar(after)
    module.get_before_snapshot = lambda: before
    module.get_after_restore = lambda: after
    return module


def before_snapshot():
    """Runs the hooks, the last registered first, as the managed runtime does."""
    import gc

    import snapshot_restore_py

    hooks = snapshot_restore_py.get_before_snapshot()
    for function, args, kwargs in reversed(list(hooks)):
        function(*args, **kwargs)
    gc.collect()  # what is garbage now would be restored for ever


def after_restore():
    """Makes what all restored copies would share different again, then runs the hooks in order."""
    import snapshot_restore_py

    if "random" in sys.modules:
        sys.modules["random"].seed()
    for function, args, kwargs in snapshot_restore_py.get_after_restore():
        function(*args, **kwargs)
