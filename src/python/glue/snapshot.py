"""SnapStart: the hooks before a snapshot and after its restore, and AWS's registry of hooks where it is missing."""

import sys

import _wsgi_lambda_state as state


def make_registry():
    """Returns a module like AWS's `snapshot_restore_py` 1.0.0, the registry of SnapStart hooks. The managed runtimes
    bring it."""
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
    gc.collect()  # garbage would be restored with every copy of the snapshot


def after_restore():
    """Seeds `random` again, since all restored copies would return the same numbers. Then runs the hooks in order."""
    import snapshot_restore_py

    if "random" in sys.modules:
        sys.modules["random"].seed()
    for function, args, kwargs in snapshot_restore_py.get_after_restore():
        function(*args, **kwargs)
