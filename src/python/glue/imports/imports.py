"""What differs from plain Python while the application is imported: the two other files of this folder, and nothing
else. `WSGI_LAMBDA_DEFER_IMPORTS=false` turns both off."""

import sys

import _wsgi_lambda_expressions as expressions
import _wsgi_lambda_state as state


def begin(defer_imports):
    """Before the application is imported: adds the finder of deferred modules, or leaves `re` as it is in plain
    Python."""
    if defer_imports:
        sys.meta_path.insert(0, state.deferred("development_server").Finder)
    else:
        expressions.leave()


def end():
    """After the application is imported: removes the finder."""
    if server := sys.modules.get("_wsgi_lambda_development_server"):
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not server.Finder]
