"""After the answer, and at the end: the module `wsgi_lambda` that applications may import, and SIGTERM."""

import _signal
import os
import sys

import _wsgi_lambda_state as state

_after_response = []
_on_shutdown = []
_terminated = False


def after_response(callback):
    """Has `callback()` called after each answer has left and before the sandbox can be frozen: for telemetry that must
    not wait for the next request. Works as a decorator."""
    _after_response.append(callback)
    return callback


def on_shutdown(callback):
    """Has `callback()` called when the platform ends the sandbox (SIGTERM), before `atexit`. Works as a decorator."""
    _on_shutdown.append(callback)
    return callback


def close_django_connections():
    """Closes the connections of Django's databases, which open again when they are used. For SnapStart:
    `register_before_snapshot(wsgi_lambda.close_django_connections)`."""
    from django.db import connections

    connections.close_all()


def close_sqlalchemy_pools(*engines):
    """Closes the pooled connections of SQLAlchemy engines, which open new ones when they are used. For SnapStart:
    `register_before_snapshot(wsgi_lambda.close_sqlalchemy_pools, engine)`."""
    for engine in engines:
        engine.dispose()


def run_after_response():
    """Runs the callbacks; gives the exceptions of those that failed."""
    return _run(_after_response)


def run_shutdown():
    """Runs the callbacks of the end, `atexit`'s last; gives the exceptions of those that failed."""
    import atexit

    failed = _run(reversed(_on_shutdown))
    atexit._run_exitfuncs()
    return failed


def _run(callbacks):
    failed = []
    for callback in callbacks:
        try:
            callback()
        except BaseException as exception:  # one that fails must not cost the others
            failed.append(exception)
    return failed


def prepare_signals():
    """Makes the module, and SIGTERM an orderly end. Gives a descriptor that becomes readable when a signal has arrived
    whose Python handler has to run: the process waits for events outside Python."""

    def terminate(number, frame):
        global _terminated
        _terminated = True  # seen where the process waits: a request that is being served gets its answer first

    public = state.make_module("wsgi_lambda", "What a WSGI application can ask of the wsgi-lambda runtime.")
    for function in (after_response, on_shutdown, close_django_connections, close_sqlalchemy_pools):
        setattr(public, function.__name__, function)
    sys.modules["wsgi_lambda"] = public
    readable, state.wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    # Before the handler: a signal that came between the two would be handled with nobody woken to look.
    _signal.set_wakeup_fd(state.wakeup, warn_on_full_buffer=False)
    _signal.signal(_signal.SIGTERM, terminate)
    return readable


def is_terminated():
    """Whether there was a SIGTERM."""
    return _terminated


def handled_signals():
    """After the handlers have run: raises SystemExit when one of the signals was SIGTERM."""
    if _terminated:
        raise SystemExit
