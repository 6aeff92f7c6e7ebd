"""What differs from plain Python while the application is imported: the two other files of this folder, and nothing
else. `WSGI_LAMBDA_DEFER_IMPORTS=false` turns both off. `WSGI_LAMBDA_LAZY_IMPORTS=true` turns Python's own lazy imports
on (PEP 810)."""

import sys

import _wsgi_lambda_expressions as expressions
import _wsgi_lambda_state as state


def begin(defer_imports, lazy_imports):
    """Before the application is imported: makes imports lazy, or adds the finder of deferred modules, and leaves `re` as
    it is in plain Python if nothing is deferred. The runtime's own modules have been imported by now."""
    if lazy_imports:
        sys.set_lazy_imports("all")
    elif defer_imports:
        sys.meta_path.insert(0, state.deferred("development_server").Finder)
    if not defer_imports:
        expressions.leave()


def end():
    """After the application is imported: removes the finder."""
    if server := sys.modules.get("_wsgi_lambda_development_server"):
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not server.Finder]
