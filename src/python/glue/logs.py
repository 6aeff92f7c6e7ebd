"""Logging as the managed runtime has it."""

import functools
import logging
import os
import sys
import time
from _thread import get_ident

import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams
from _wsgi_lambda_errors import encodable


def configure(json_format, level, telemetry_fd):
    """One handler on the root logger, as the managed runtime has it: an application that only sets a level gets its
    records out."""
    global _handler
    os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)  # as there: children must not write to it
    try:
        os.fstat(telemetry_fd if telemetry_fd is not None else -1)
    except OSError:
        telemetry_fd = None
    root = logging.getLogger()
    # What `basicConfig` in sitecustomize has made writes to standard error, in another form.
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    _handler = _make_handler(json_format, telemetry_fd)
    root.addHandler(_handler)
    if level:
        root.setLevel(level)
    logging.basicConfig = _basic_config(root, _handler)


def _basic_config(root, ours):
    """`logging.basicConfig` does nothing where the root logger has a handler. Here it sets the level, and gives way to
    handlers and files that are asked for; records go to the platform's log in its form."""
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


_handler = None


def warn(message):
    """A line of the runtime's own, in the log's form."""
    record = logging.LogRecord("wsgi_lambda", logging.WARNING, "", 0, message, (), None)
    if _handler is not None and _handler.filter(record):
        _handler.emit(record)


_events_are_hidden = False


def hide_events():
    """Django's error reports hide cookies and POST fields by the names of META's keys, and look into dicts. The event
    holds both under names that it does not know. Does nothing until Django's reports have been imported."""
    global _events_are_hidden
    reports = None if _events_are_hidden else sys.modules.get("django.views.debug")
    filter = getattr(reports, "SafeExceptionReporterFilter", None)
    if filter is None:
        return
    import re

    pattern = rf"{filter.hidden_settings.pattern}|^(?:wsgi_lambda|serverless|awsgi|lambda)\.event$"
    filter.hidden_settings = re.compile(pattern, re.IGNORECASE)
    _events_are_hidden = True


def _make_handler(json_format, telemetry_fd):
    telemetry, writing = state.identity(telemetry_fd) if telemetry_fd is not None else None, set()

    class LambdaHandler(logging.Handler):
        """Writes records to the telemetry descriptor, or to standard output."""

        def emit(self, record):
            try:
                text = encodable(self.format(record))
                # Applications close what they do not know, and get its number for files of their own.
                if telemetry_fd is not None and state.identity(telemetry_fd) == telemetry:
                    _write_frame(telemetry_fd, record.levelno, json_format, text + "\n")
                    return
                if not json_format and (record.exc_info or record.exc_text or record.stack_info):
                    text = _one_event(text)
                streams.mend()
                if get_ident() in writing:  # standard output has become a logger, whose record this is
                    os.write(1, (text + "\n").encode("utf-8", "backslashreplace"))
                    return
                writing.add(get_ident())
                try:
                    sys.stdout.write(text + "\n")
                finally:
                    writing.discard(get_ident())
            except RecursionError:
                raise
            except Exception:
                self.handleError(record)

    class RequestFilter(logging.Filter):
        """Gives every record the id of the request it belongs to."""

        def filter(self, record):
            record.aws_request_id = state.request_id
            record.tenant_id = state.tenant_id
            return True

    class TextFormatter(logging.Formatter):
        converter = time.gmtime

        def __init__(self):
            super().__init__(
                "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
            )

    class JsonFormatter(logging.Formatter):
        """The managed runtime's keys, in its order."""

        converter = time.gmtime
        ordinary = set(vars(logging.makeLogRecord({}))) | {"aws_request_id", "tenant_id", "message", "asctime"}

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
            extra = {name: value for name, value in vars(record).items() if name not in self.ordinary}
            values.update((name, value) for name, value in extra.items() if name not in values)
            values = {name: value for name, value in values.items() if value is not None}
            return json.dumps(values, ensure_ascii=False, default=str)

    handler = LambdaHandler()
    handler.addFilter(RequestFilter())
    handler.setFormatter(JsonFormatter() if json_format else TextFormatter())
    return handler


def _format_tb(trace):
    if trace is None:
        return None
    import traceback

    return traceback.format_tb(trace)


def _write_frame(descriptor, level, json_format, text):
    """One frame: type, length and microseconds as big-endian numbers, then the text (awslambdaric)."""
    payload = text.encode("utf-8", "backslashreplace")
    step = max(0, min(level // 10, 5))
    kind = (0xA55A0003 if step == 0 else 0xA55A0007 + 4 * step) - int(json_format)
    micros = int(time.time() * 1_000_000)
    frame = kind.to_bytes(4, "big") + len(payload).to_bytes(4, "big") + micros.to_bytes(8, "big") + payload
    while frame:
        frame = frame[os.write(descriptor, frame) :]


def _one_event(text):
    """On standard output each newline begins a new event in CloudWatch: keep a traceback in one."""
    lines = text.splitlines()
    stripped = [line.lstrip(" ") for line in lines]
    return "\r".join("\u00a0" * (len(line) - len(rest)) + rest for line, rest in zip(lines, stripped))
