"""Commands that run in the function, for whoever may invoke it directly.

Deferred: only WSGI_LAMBDA_COMMANDS lets an event reach this module. The events are those of `wsgi-lambda manage`, `flask`,
`exec` and `run`, of serverless-wsgi's plugin, and of Zappa.
"""

import contextlib
import io
import os
import sys

import _wsgi_lambda_lifecycle as lifecycle
from _wsgi_lambda_deadline import DeadlineReached

# How many bytes of output are returned. A response may have 6 MB, and its JSON is longer than the text.
_LIMIT = 2_000_000
# The exit code of a command that the deadline has interrupted: that of timeout(1).
_TIMED_OUT = 124


def run(app, event, context):
    """Runs the command that an event asks for. Returns what its sender expects: a dict of `exit_code`, `output` and `cut`,
    the number of bytes left out at the beginning of the output; a list of exit code and output for serverless-wsgi; for
    Zappa the result of its function."""
    with _logging_restored():
        return _ran(app, event, context)


def _ran(app, event, context):
    if (ours := event.get("_wsgi_lambda")) is not None:
        code, output, cut = _captured(_COMMANDS.get(ours.get("command"), _unknown), app, ours.get("arguments") or [])
        return {"exit_code": code, "output": output, "cut": cut}
    if (theirs := event.get("_serverless-wsgi")) is not None:
        work, arguments = _of_serverless_wsgi(theirs.get("command"), theirs.get("data") or "")
        code, output, cut = _captured(work, app, arguments)
        return [code, f"(the first {cut} bytes are left out)\n{output}" if cut else output]
    return _zappa(event, context)


def _of_serverless_wsgi(command, data):
    import shlex

    if command == "command":
        return _run, ["/bin/sh", "-c", data]
    if command == "exec":
        return _exec, [data]
    return _COMMANDS.get(command, _unknown), shlex.split(data)


def _zappa(event, context):
    """Zappa's client shows the log, and takes an exception for a failure."""
    if "manage" in event:
        import shlex

        from django.core import management

        management.call_command(*shlex.split(event["manage"]))
        return {}
    if "raw_command" in event:
        exec(event["raw_command"], {"__name__": "__main__"})
        return None
    import importlib
    import inspect

    module, _, name = event["command"].rpartition(".")
    function = getattr(importlib.import_module(module), name)
    for arguments in ((event, context), (event,)):
        try:
            inspect.signature(function).bind(*arguments)
        except (TypeError, ValueError):  # it takes fewer, or is C code that does not say
            continue
        return function(*arguments)
    return function()


def _manage(app, arguments):
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import ManagementUtility
    except ModuleNotFoundError as error:
        raise SystemExit(f"`manage` needs Django, which the function does not have ({error})") from None
    # As in a process of its own: those that are open may have died while the sandbox was frozen, and only a request asks.
    # Where Django has not been set up, there is none, and the command says what is missing.
    with contextlib.suppress(ImproperlyConfigured):
        lifecycle.close_django_connections()
    ManagementUtility(["manage.py", *arguments]).execute()


def _flask(app, arguments):
    try:
        from flask import Flask
        from flask.cli import FlaskGroup
    except ModuleNotFoundError as error:
        raise SystemExit(f"`flask` needs Flask, which the function does not have ({error})") from None
    if not isinstance(app, Flask):
        raise SystemExit(f"`flask` needs a handler that names the Flask object; it names a {type(app).__name__}")
    group = FlaskGroup(create_app=lambda *_: app, load_dotenv=False, set_debug_flag=False)
    group.main(arguments, prog_name="flask")


def _exec(app, arguments):
    """Runs Python code, in which `app` is the application, and shows the value of its last line as a prompt does."""
    import ast

    tree = ast.parse(arguments[0] if arguments else "", "<command>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names = {"__name__": "__main__", "app": app}
    exec(compile(tree, "<command>", "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "<command>", "eval"), names)
        if value is not None:
            print(repr(value))


def _run(app, arguments):
    """Runs a program. Returns its exit code; of one that a signal has ended, the shell's."""
    import signal
    import subprocess

    if not arguments:
        raise SystemExit("`run` needs a program")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = subprocess.Popen(
            arguments, **pipes, encoding="utf-8", errors="backslashreplace", start_new_session=True
        )
    except OSError as error:
        print(f"{arguments[0]}: {error.strerror}")
        return 127
    try:
        for line in process.stdout:
            sys.stdout.write(line)
        code = process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return code if code >= 0 else 128 - code


def _unknown(app, arguments):
    raise SystemExit(f"this runtime has no such command; it has {', '.join(_COMMANDS)}")


_COMMANDS = {"manage": _manage, "flask": _flask, "exec": _exec, "run": _run}


@contextlib.contextmanager
def _logging_restored():
    """Lets the requests after a command log as those before it. Commands set logging up for a process of their own: the env.py
    of Flask-Migrate and Alembic (`fileConfig`) takes the root logger's handlers away and disables all other loggers."""
    import logging

    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    loggers = [logger for logger in loggers if isinstance(logger, logging.Logger)]  # not their placeholders
    before = [(one, one.level, one.handlers[:], one.propagate, one.disabled) for one in loggers]
    try:
        yield
    finally:
        for logger, level, handlers, propagate, disabled in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers
            logger.propagate, logger.disabled = propagate, disabled


def _captured(work, app, arguments):
    """Returns exit code, output, and how many bytes of the output were left out. The log gets the output, too."""
    output = _Output()
    before = sys.stdout, sys.stderr
    stream = io.TextIOWrapper(output, encoding="utf-8", errors="backslashreplace", line_buffering=True)
    sys.stdout = sys.stderr = stream
    try:
        code = _exit_code(work, app, arguments)
        stream.flush()
    finally:
        sys.stdout, sys.stderr = before
    return code, *output.text()


def _exit_code(work, app, arguments):
    try:
        return work(app, arguments) or 0
    except SystemExit as exit:
        return lifecycle.exit_status(exit.code)
    except DeadlineReached as reached:
        _show(reached)
        print("The command was interrupted: the function's timeout is near. Give the function more time.")
        return _TIMED_OUT
    except BaseException as error:
        _show(error)
        return 1


def _show(error):
    """Prints a traceback without the frames of this module."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == _show.__code__.co_filename:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


class _Output(io.RawIOBase):
    """Keeps the end of what is written, and writes everything to the log."""

    def __init__(self):
        super().__init__()
        self._kept = bytearray()
        self._cut = 0

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self._kept += data
        if len(self._kept) > 2 * _LIMIT:
            self._leave_out()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(1, rest) :]
        return len(data)

    def text(self):
        """Returns what was kept as text, and how many bytes were not."""
        self._leave_out()
        return self._kept.decode("utf-8", "replace"), self._cut

    def _leave_out(self):
        surplus = max(len(self._kept) - _LIMIT, 0)
        del self._kept[:surplus]
        self._cut += surplus
