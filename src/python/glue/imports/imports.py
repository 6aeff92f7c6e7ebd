"""What differs from plain Python while the application is imported, and how it ends: the two files next to this one, and
nothing else. `WSGI_LAMBDA_DEFER_IMPORTS=false` turns both off."""

import sys

import _wsgi_lambda_expressions as expressions
import _wsgi_lambda_state as state


def begin(deferral):
    """Before the application is imported."""
    if deferral:
        sys.meta_path.insert(0, state.load("development_server").Finder)
    else:
        expressions.leave()


def end():
    """When it has been imported: takes the finder away."""
    if deferred := sys.modules.get("_wsgi_lambda_development_server"):
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not deferred.Finder]
