"""All that the Rust side calls, under one name."""

import _wsgi_lambda_state as state
from _wsgi_lambda_context import begin
from _wsgi_lambda_deadline import prepare_deadline
from _wsgi_lambda_deferred import defer_imports
from _wsgi_lambda_errors import describe
from _wsgi_lambda_files import FileWrapper
from _wsgi_lambda_lifecycle import handled_signals, prepare_signals, run_after_response, run_shutdown
from _wsgi_lambda_logs import prepare_logging
from _wsgi_lambda_snapshot import after_restore, before_snapshot
from _wsgi_lambda_start import after_import, before_import, start
from _wsgi_lambda_streams import flush
from _wsgi_lambda_workers import fork_workers

__all__ = [
    "FileWrapper",
    "after_import",
    "after_restore",
    "before_import",
    "before_snapshot",
    "begin",
    "defer_imports",
    "describe",
    "flush",
    "fork_workers",
    "handled_signals",
    "prepare_deadline",
    "prepare_logging",
    "prepare_signals",
    "run_after_response",
    "run_shutdown",
    "start",
    "state",
]
