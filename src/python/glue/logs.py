"""Logging, as the managed runtime sets it up."""

import functools
import logging
import os
import sys
import time
from _thread import get_ident

import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams
from _wsgi_lambda_errors import encodable

_handler = None


def configure(json_format, level, telemetry_fd):
    """Adds one handler to the root logger, as the managed runtime does: an application that only sets a level gets its
    records in the log. `level` is a level's name or None, `telemetry_fd` the platform's descriptor for logs or None."""
    global _handler
    os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)  # as the managed runtime: children must not write to it
    try:
        os.fstat(telemetry_fd if telemetry_fd is not None else -1)
    except OSError:
        telemetry_fd = None
    root = logging.getLogger()
    # A handler from `basicConfig` in sitecustomize writes to standard error, in another format.
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    _handler = LambdaHandler(json_format, telemetry_fd)
    root.addHandler(_handler)
    if level:
        root.setLevel(level)
    logging.basicConfig = _basic_config(root, _handler)


def _basic_config(root, ours):
    """Returns our `logging.basicConfig`. Python's does nothing if the root logger has a handler, as it always has here.
    Ours sets the level, and replaces our handler if the application asks for handlers, a file or a stream of its own.
    For the standard streams our handler stays, with its format."""
    plain = logging.basicConfig

    @functools.wraps(plain)
    def basicConfig(**kwargs):
        elsewhere = kwargs.get("handlers") is not None or kwargs.get("filename") is not None
        elsewhere = elsewhere or kwargs.get("stream") not in (None, sys.stdout, sys.stderr)
        if kwargs.get("force") or root.handlers != [ours]:
            plain(**kwargs)
        elif elsewhere:
            root.removeHandler(ours)
            plain(**kwargs)
        elif kwargs.get("level") is not None:
            root.setLevel(kwargs["level"])

    return basicConfig


def warn(message):
    """Logs a warning of the runtime's own."""
    record = logging.LogRecord("wsgi_lambda", logging.WARNING, "", 0, message, (), None)
    if _handler is not None and _handler.filter(record):
        _handler.emit(record)


_events_are_hidden = False


def hide_events():
    """Hides the event in Django's error reports. They hide cookies and POST fields by the names of their keys, and the
    event holds both under other names. Does nothing until Django's module for reports has been imported."""
    global _events_are_hidden
    reports = None if _events_are_hidden else sys.modules.get("django.views.debug")
    filter = getattr(reports, "SafeExceptionReporterFilter", None)
    if filter is None:
        return
    import re

    pattern = rf"{filter.hidden_settings.pattern}|^(?:wsgi_lambda|serverless|awsgi|lambda)\.event$"
    filter.hidden_settings = re.compile(pattern, re.IGNORECASE)
    _events_are_hidden = True


class LambdaHandler(logging.Handler):
    """Writes records to the telemetry descriptor, or to standard output."""

    def __init__(self, json_format, telemetry_fd):
        super().__init__()
        self._json_format = json_format
        self._telemetry_fd = telemetry_fd
        self._telemetry = state.file_identity(telemetry_fd) if telemetry_fd is not None else None
        self._writing = set()  # the threads that write to standard output
        self.addFilter(RequestFilter())
        self.setFormatter(JsonFormatter() if json_format else TextFormatter())

    def emit(self, record):
        try:
            text = encodable(self.format(record))
            # Compared, since applications close descriptors and get the same numbers for their own files.
            if self._telemetry_fd is not None and state.file_identity(self._telemetry_fd) == self._telemetry:
                _write_frame(self._telemetry_fd, record.levelno, self._json_format, text + "\n")
                return
            if not self._json_format and (record.exc_info or record.exc_text or record.stack_info):
                text = _one_event(text)
            streams.repair()
            if get_ident() in self._writing:  # the application's standard output is a logger, and this is its record
                os.write(1, (text + "\n").encode("utf-8", "backslashreplace"))
                return
            self._writing.add(get_ident())
            try:
                sys.stdout.write(text + "\n")
            finally:
                self._writing.discard(get_ident())
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


class RequestFilter(logging.Filter):
    """Adds the request's id and its tenant to each record."""

    def filter(self, record):
        record.aws_request_id = state.request_id
        record.tenant_id = state.tenant_id
        return True


class TextFormatter(logging.Formatter):
    """The managed runtime's text format."""

    converter = time.gmtime

    def __init__(self):
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )


class JsonFormatter(logging.Formatter):
    """The managed runtime's JSON format: its keys, in its order."""

    converter = time.gmtime

    def __init__(self):
        super().__init__()
        self._ordinary = {*vars(logging.makeLogRecord({})), "aws_request_id", "tenant_id", "message", "asctime"}

    def format(self, record):
        import json

        exc_type, exc, trace = record.exc_info if isinstance(record.exc_info, tuple) else (None, None, None)
        plain = isinstance(record.msg, dict) and not record.args
        values = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.msg if plain else record.getMessage(),
            "logger": record.name,
            "stackTrace": _format_tb(trace),
            "errorType": exc_type.__name__ if exc_type else None,
            "errorMessage": str(exc) if exc_type else None,
            "requestId": record.aws_request_id or None,
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if exc_type else None,
            "tenantId": record.tenant_id,
        }
        extra = {name: value for name, value in vars(record).items() if name not in self._ordinary}
        values.update((name, value) for name, value in extra.items() if name not in values)
        values = {name: value for name, value in values.items() if value is not None}
        return json.dumps(values, ensure_ascii=False, default=str)


def _format_tb(trace):
    if trace is None:
        return None
    import traceback

    return traceback.format_tb(trace)


def _write_frame(descriptor, level, json_format, text):
    """Writes one frame of the telemetry protocol (awslambdaric): type, length in bytes and microseconds since 1970 as
    big-endian numbers, then the text."""
    payload = text.encode("utf-8", "backslashreplace")
    step = max(0, min(level // 10, 5))
    kind = (0xA55A0003 if step == 0 else 0xA55A0007 + 4 * step) - int(json_format)
    micros = int(time.time() * 1_000_000)
    frame = kind.to_bytes(4, "big") + len(payload).to_bytes(4, "big") + micros.to_bytes(8, "big") + payload
    while frame:
        frame = frame[os.write(descriptor, frame) :]


def _one_event(text):
    """Returns a traceback in a form that CloudWatch shows as one log event: a newline on standard output would begin
    the next."""
    lines = text.splitlines()
    stripped = [line.lstrip(" ") for line in lines]
    return "\r".join("\u00a0" * (len(line) - len(rest)) + rest for line, rest in zip(lines, stripped))
