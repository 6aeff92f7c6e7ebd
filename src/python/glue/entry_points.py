"""The functions that Rust calls, in one module: `glue()` in `glue.rs` returns it."""

import _wsgi_lambda_state as state
from _wsgi_lambda_context import begin_invocation
from _wsgi_lambda_deadline import prepare_deadline, prepare_stacks, write_stacks
from _wsgi_lambda_errors import describe
from _wsgi_lambda_files import FileWrapper
from _wsgi_lambda_lifecycle import (
    collect_garbage,
    handled_signals,
    leave_child,
    prepare_signals,
    run_after_response,
    run_shutdown,
    terminate,
)
from _wsgi_lambda_logs import configure as prepare_logging
from _wsgi_lambda_start import after_import, start
from _wsgi_lambda_streams import flush_before_wait

__all__ = [
    "FileWrapper",
    "after_import",
    "begin_invocation",
    "collect_garbage",
    "describe",
    "flush_before_wait",
    "handled_signals",
    "leave_child",
    "prepare_deadline",
    "prepare_logging",
    "prepare_signals",
    "prepare_stacks",
    "run_after_response",
    "run_shutdown",
    "start",
    "state",
    "terminate",
    "write_stacks",
]

# Functions of deferred modules, by name.
_DEFERRED = {
    "after_restore": "snapshot",
    "before_snapshot": "snapshot",
    "fork": "workers",
    "other_threads": "workers",
    "prepare_forks": "workers",
    "release_handlers": "workers",
}


def __getattr__(name):
    if name not in _DEFERRED:
        raise AttributeError(name)
    return getattr(state.deferred(_DEFERRED[name]), name)
