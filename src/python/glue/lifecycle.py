"""After the answer, and at the end: the module `wsgi_lambda` that applications may import, and SIGTERM."""

import _signal
import os
import posix
import sys
from _signal import SIGTERM
from _thread import get_ident

import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams

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
        exception = None
        try:
            callback()
        except BaseException as raised:  # one that fails must not cost the others
            exception = raised
        if state.is_forked():
            leave_child(exception)
        if exception is not None:
            failed.append(exception)
    return failed


def leave_child(exception):
    """Ends a child that the application forked and let come back, with the status that Python gives it. Nothing of what
    the parent has registered for its own end runs."""
    status = 1
    try:
        if exception is None:
            status = 0
        elif isinstance(exception, SystemExit):
            status = _status(exception.code)
        elif isinstance(exception, KeyboardInterrupt):
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)  # as Python ends by it
        else:
            sys.excepthook(type(exception), exception, exception.__traceback__)
        streams.push()
    finally:
        os._exit(status)


def _status(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


# The handlers of the runtime's own by their signals, with those that Python has without it.
_own_handlers = {}


def handle(number, handler):
    """Sets a handler of the runtime's, which no child that the application forks inherits."""
    _own_handlers[number] = handler, _signal.signal(number, handler)


def leave_keyboard():
    """The signal module gives SIGINT Python's handler, which raises KeyboardInterrupt in whatever request comes next. Ctrl-C
    is to end the process, unless the application has a handler of its own."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        handle(_signal.SIGINT, _signal.SIG_DFL)


# Signals that came while their handlers were held, with the frames that they interrupted.
_held = []
_forks_worker = False


def hold_handlers():
    """Before workers are forked: from here on the application's handlers run in `handled_signals` alone, in workers until
    `release_handlers`. Python drops what a handler raises in a hook of `os.register_at_fork`, and elsewhere in the runtime's
    own code it would look like a failure of that."""
    for number in _signal.valid_signals():
        handler = _signal.getsignal(number)
        if callable(handler) and handler is not _own_handlers.get(number, (None,))[0]:
            handle(number, _hold)


def release_handlers():
    """In a worker that is ready for events: sets the application's handlers again. `handled_signals` runs those whose signals
    have come."""
    for number, (own, handler) in _own_handlers.items():
        if own is _hold and _signal.getsignal(number) is _hold:
            _signal.signal(number, handler)


def _hold(number, frame):
    _held.append((number, frame))


def fork_worker():
    """Forks a child that keeps handlers held. Python's own fork: gevent's would start its loop in the parent, which has no
    use for it."""
    global _forks_worker
    _forks_worker = True
    try:
        return posix.fork()
    finally:
        _forks_worker = False


# By thread: its signals before it forks.
_masks = {}
_interrupt_signal = None


def block_in_forks(number):
    """The deadline's interrupt waits while a thread forks: raised in a hook of `os.register_at_fork`, where Python drops
    exceptions, it would leave the locks of `logging` held."""
    global _interrupt_signal
    _interrupt_signal = number


def _before_fork():
    # SIGTERM is looked after in C (`ffi.rs`), around the system call alone: its handler may be the application's.
    if SIGTERM in _own_handlers and _signal.getsignal(SIGTERM) is _own_handlers[SIGTERM][0]:
        state.guard_fork()
    if _interrupt_signal is not None:
        before = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())
        _masks[get_ident()] = before
        _signal.pthread_sigmask(_signal.SIG_BLOCK, (_interrupt_signal,))


def _after_fork():
    mask = _masks.pop(get_ident(), None)
    if mask is not None:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _become_child():
    """Gives a child Python's own handlers, as far as the application has not set its own."""
    state.serving = False
    held = {}
    for number, (handler, before) in _own_handlers.items():
        if _signal.getsignal(number) is handler:
            if handler is _hold and _forks_worker:
                held[number] = handler, before
                before = handler  # set again: it has the default in C now (`ffi.rs`)
            _signal.signal(number, _signal.SIG_DFL if before is None else before)
    _own_handlers.clear()
    _own_handlers.update(held)
    _held.clear()
    state.forget_wakeup()
    _after_fork()
    _masks.clear()


def terminate(*_):
    """Ends the process when it next waits: a request that is being served gets its answer first."""
    global _terminated
    _terminated = True


def prepare_signals():
    """Makes the module, and SIGTERM an orderly end. Gives a descriptor that becomes readable when a signal has arrived
    whose Python handler has to run: the process waits for events outside Python."""

    public = state.make_module("wsgi_lambda", "What a WSGI application can ask of the wsgi-lambda runtime.")
    for function in (after_response, on_shutdown, close_django_connections, close_sqlalchemy_pools):
        setattr(public, function.__name__, function)
    if sys.modules.setdefault("wsgi_lambda", public) is public:  # once, not in each worker again
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_become_child)
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    state.prepare_wakeup(writable)
    # Any other handler is the application's, which has forked this worker with it.
    if _signal.getsignal(SIGTERM) is _signal.SIG_DFL:
        handle(SIGTERM, terminate)
    return readable


def handled_signals():
    """After the handlers have run, but for those that are held, which it runs: raises what they raise, and SystemExit when
    `terminate` has been called."""
    while _held:
        number, frame = _held.pop(0)
        _own_handlers[number][1](number, frame)
    if _terminated:
        raise SystemExit
