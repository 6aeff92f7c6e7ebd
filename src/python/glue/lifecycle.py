"""The module `wsgi_lambda`, which applications may import; its callbacks; signals and forks."""

import _signal
import os
import posix
import sys
from _signal import SIGTERM
from _thread import get_ident
from gc import collect, get_count, get_threshold, isenabled
from time import process_time

import _wsgi_lambda_state as state
import _wsgi_lambda_streams as streams

_after_response = []
_on_shutdown = []
_terminated = False


def after_response(callback):
    """Calls `callback()` after each response, before the sandbox can be frozen: for telemetry that must not wait for
    the next request. Works as a decorator."""
    _after_response.append(callback)
    return callback


def on_shutdown(callback):
    """Calls `callback()` when the platform ends the sandbox (SIGTERM), before `atexit`. Works as a decorator."""
    _on_shutdown.append(callback)
    return callback


def close_django_connections():
    """Closes the connections of Django's databases. They open again when they are used. For SnapStart:
    `register_before_snapshot(wsgi_lambda.close_django_connections)`."""
    from django.db import connections

    connections.close_all()


def close_sqlalchemy_pools(*engines):
    """Closes the pooled connections of SQLAlchemy engines. They open new ones when they are used. For SnapStart:
    `register_before_snapshot(wsgi_lambda.close_sqlalchemy_pools, engine)`."""
    for engine in engines:
        engine.dispose()


_next_full_collection = 0.0  # in seconds of process time


def collect_garbage():
    """Frees what requests have left in reference cycles, such as a Django request with its body. By itself the collector
    runs after so many objects, not bytes: fifty large bodies can be in memory by then. It stays off if the application
    has turned it off.

    A body that outlives its request is freed when all generations are collected. That is done as often as the collector
    would, and in a twentieth of the time at most: it takes longer the more objects the application holds."""
    global _next_full_collection
    thresholds = get_threshold()
    if not (isenabled() and thresholds[0]):
        return
    began = process_time()
    if get_count()[2] > thresholds[2] and began >= _next_full_collection:
        collect()
        ended = process_time()
        _next_full_collection = ended + 20 * (ended - began)
    else:
        collect(1)


def run_after_response():
    """Runs the `after_response` callbacks; returns the exceptions of those that failed."""
    return _run(_after_response)


def run_shutdown():
    """Runs the `on_shutdown` callbacks, then `atexit`'s; returns the exceptions of the former that failed."""
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
        except BaseException as raised:  # the others have to run, too
            exception = raised
        if state.is_forked():
            leave_child(exception)
        if exception is not None:
            failed.append(exception)
    return failed


def leave_child(exception):
    """Ends a child that the application forked and that returned into our code. Its exit status is the one that Python
    would end with. Exit handlers of the parent do not run."""
    status = 1
    try:
        if exception is None:
            status = 0
        elif isinstance(exception, SystemExit):
            status = exit_status(exception.code)
        elif isinstance(exception, KeyboardInterrupt):
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            os.kill(os.getpid(), _signal.SIGINT)  # Python ends by the signal, too
        else:
            sys.excepthook(type(exception), exception, exception.__traceback__)
        streams.flush()
    finally:
        os._exit(status)


def exit_status(code):
    """Returns the exit status that Python ends with after `SystemExit(code)`; a message is written to standard error."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


# By signal: the runtime's own handler, and the handler that Python has without it.
_own_handlers = {}


def handle(number, handler):
    """Sets a handler of the runtime's own. Children that the application forks do not inherit it."""
    _own_handlers[number] = handler, _signal.signal(number, handler)


def leave_keyboard():
    """Makes Ctrl-C end the process, unless the application has set a handler for SIGINT. Importing `signal` sets
    Python's, which would raise KeyboardInterrupt in the next request."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        handle(_signal.SIGINT, _signal.SIG_DFL)


# Signals that arrived while their handlers were held, with the frames that they interrupted.
_held = []
# Whether the fork that is being made is a worker's.
_forks_worker = False


def hold_handlers():
    """Before workers are forked: holds the application's signal handlers, so that only `handled_signals` runs them; in
    workers until `release_handlers`. Python drops an exception that a handler raises in a hook of
    `os.register_at_fork`, and in the runtime's own code it would look like the runtime's failure."""
    for number in _signal.valid_signals():
        handler = _signal.getsignal(number)
        if callable(handler) and handler is not _own_handlers.get(number, (None,))[0]:
            handle(number, _hold)


def release_handlers():
    """In a worker that is ready for events: sets the application's handlers again. `handled_signals` runs them for
    signals that have arrived."""
    for number, (own, handler) in _own_handlers.items():
        if own is _hold and _signal.getsignal(number) is _hold:
            _signal.signal(number, handler)


def _hold(number, frame):
    _held.append((number, frame))


def fork_worker():
    """Forks a child whose handlers stay held. Returns its process id, or 0 in the child. Not by `os.fork`: gevent's
    would start an event loop in the parent, which does not need one."""
    global _forks_worker
    _forks_worker = True
    try:
        return posix.fork()
    finally:
        _forks_worker = False


# By thread: its signal mask before it forks.
_masks = {}
_interrupt_signal = None


def block_in_forks(number):
    """Blocks the deadline's interrupt while a thread forks. In a hook of `os.register_at_fork` Python would drop the
    exception, and the locks of `logging` would stay locked."""
    global _interrupt_signal
    _interrupt_signal = number


def _before_fork():
    # SIGTERM is blocked in C (`ffi.rs`), around the system call alone: its handler may be the application's.
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
    """In a child: sets Python's own handlers, except where the application has set its own."""
    state.serving = False
    held = {}
    for number, (handler, before) in _own_handlers.items():
        if _signal.getsignal(number) is handler:
            if handler is _hold and _forks_worker:
                held[number] = handler, before
                before = handler  # set again, since `ffi.rs` has reset it in C
            _signal.signal(number, _signal.SIG_DFL if before is None else before)
    _own_handlers.clear()
    _own_handlers.update(held)
    _held.clear()
    state.forget_wakeup()
    _after_fork()
    _masks.clear()


def terminate(*_):
    """Ends the process when it next waits. A request that is being served gets its response first."""
    global _terminated
    _terminated = True


def prepare_signals():
    """Makes the module `wsgi_lambda`, and makes SIGTERM an orderly end. Returns a descriptor that becomes readable when
    a signal has arrived: the process waits outside Python, and has to return to it for the handlers."""

    public = state.make_module("wsgi_lambda", "What a WSGI application can ask of the wsgi-lambda runtime.")
    for function in (after_response, on_shutdown, close_django_connections, close_sqlalchemy_pools):
        setattr(public, function.__name__, function)
    public.__getattr__ = _deferred_part
    if sys.modules.setdefault("wsgi_lambda", public) is public:  # not again in each worker
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_become_child)
    readable, writable = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    state.prepare_wakeup(writable)
    if _signal.getsignal(SIGTERM) is _signal.SIG_DFL:  # otherwise a worker has inherited the application's
        handle(SIGTERM, terminate)
    return readable


def _deferred_part(name):
    """Returns a part of the module `wsgi_lambda` that few applications use."""
    if name == "websocket":
        return state.deferred(name)
    raise AttributeError(f"module 'wsgi_lambda' has no attribute {name!r}")


def handled_signals():
    """Runs held handlers whose signals have arrived; Python has run the others. Raises their exceptions, and SystemExit
    after `terminate`."""
    while _held:
        number, frame = _held.pop(0)
        _own_handlers[number][1](number, frame)
    if _terminated:
        raise SystemExit
