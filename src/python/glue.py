"""What the runtime needs in Python itself: the context object, the log handler, tracebacks, the file wrapper.

Imports nothing that costs time at a cold start: `logging` is prepared when the application imports it, `traceback`
when there is something to trace.
"""

import _signal
import os
import sys
import time

# ---------------------------------------------------------------------------------------------------------------------
# The invocation

request_id = ""
tenant_id = None
_functions = {}


class Identity:
    """The Cognito identity of the caller; both are None without one."""

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return _show(self)


class Client:
    """The mobile application that called."""

    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))

    def __repr__(self):
        return _show(self)


class ClientContext:
    """What a direct caller sent along: `custom` and `env` are dicts, `client` describes a mobile application."""

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = Client(client) if isinstance(client, dict) else None

    def __repr__(self):
        return _show(self)


class LambdaContext:
    """The context object of the managed Python runtime (docs, "Using the Lambda context object ... in Python")."""

    def __init__(self, function, aws_request_id, deadline_ms, invoked_function_arn, tenant_id, client, identity):
        self.aws_request_id = aws_request_id
        self.log_group_name = function["log_group_name"]
        self.log_stream_name = function["log_stream_name"]
        self.function_name = function["name"]
        self.function_version = function["version"]
        self.memory_limit_in_mb = function["memory_limit_in_mb"]
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        client = _parse(client, "Lambda-Runtime-Client-Context") if client else None
        self._w3c = client.pop("w3c", None) if isinstance(client, dict) else None
        self.client_context = ClientContext(client) if isinstance(client, dict) else None
        identity = _parse(identity, "Lambda-Runtime-Cognito-Identity") if identity else None
        self.identity = Identity(identity if isinstance(identity, dict) else {})
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        """Milliseconds until the platform ends this invocation, never negative."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        """Writes to the function's log."""
        sys.stdout.write(str(message))

    def w3c(self):
        """The caller's W3C trace context: a dict of traceparent, tracestate and baggage."""
        return self._w3c if isinstance(self._w3c, dict) else {}

    def __repr__(self):
        return _show(self)


def _show(instance):
    values = ", ".join(f"{name}={value!r}" for name, value in vars(instance).items() if not name.startswith("_"))
    return f"{type(instance).__name__}({values})"


def _parse(text, header):
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # A caller's slip must not cost the invocation; its value is not logged.
        sys.stderr.write(f"[WARNING] {header} is not JSON: ignored\n")
        return None


def begin(new_request_id, deadline_ms, arn, trace_id, new_tenant_id, client, identity):
    """Prepares the process for one invocation and gives its context object."""
    global request_id, tenant_id, _serving
    _serving = True
    _mend_streams()
    request_id = new_request_id
    tenant_id = new_tenant_id
    # X-Ray and OpenTelemetry read os.environ, which is a copy that only Python can change.
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
    return LambdaContext(_functions, new_request_id, deadline_ms, arn, new_tenant_id, client, identity)


def _mend_streams():
    """Opens again what the application has closed or taken away."""
    if sys.stdout is None or getattr(sys.stdout, "closed", False):
        sys.stdout = _reopen(1)
    if sys.stderr is None or getattr(sys.stderr, "closed", False):
        sys.stderr = _reopen(2)


def _reopen(descriptor):
    """Python never closes the descriptors of its standard streams themselves."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def flush():
    """Pushes out what the application printed, before the sandbox can be frozen."""
    if _wakeup is not None:
        _signal.set_wakeup_fd(_wakeup, warn_on_full_buffer=False)  # event loops of the application take it for theirs
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, replaced or None: nothing there to flush
            pass


# ---------------------------------------------------------------------------------------------------------------------
# Start


def start(function, task_root, layer_dir, managed):
    """Builds sys.path as the managed runtime does, and works through `.pth` files where there are any.

    Unlike there, layers do not vanish when PYTHONPATH is set.
    """
    import faulthandler

    _functions.update(function)
    sys.meta_path.append(_SnapshotHooks)
    faulthandler.enable()  # a crash in C code leaves the Python stack in the log, at no cost before it
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    layers = [os.path.join(layer_dir, "python", "lib", version, "site-packages"), os.path.join(layer_dir, "python")]
    paths = [task_root, *layers]
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    if managed and os.path.isdir("/var/runtime"):
        sys.path.append("/var/runtime")
    for path in paths:
        if _has_pth(path):
            import site

            site.addsitedir(path)


def _has_pth(path):
    try:
        return any(name.endswith(".pth") for name in os.listdir(path))
    except OSError:
        return False


def after_import():
    """The signal module gives SIGINT Python's handler, which raises KeyboardInterrupt in whatever request comes next.
    Ctrl-C is to end the process, unless the application has a handler of its own."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


# ---------------------------------------------------------------------------------------------------------------------
# After the answer, and at the end: the module `wsgi_lambda` that applications may import

_after_response = []
_on_shutdown = []
_wakeup = None
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
    global _wakeup

    def terminate(number, frame):
        global _terminated
        _terminated = True  # seen where the process waits: a request that is being served gets its answer first

    public = type(sys)("wsgi_lambda", "What a WSGI application can ask of the wsgi-lambda runtime.")
    for function in (after_response, on_shutdown, close_django_connections, close_sqlalchemy_pools):
        setattr(public, function.__name__, function)
    sys.modules["wsgi_lambda"] = public
    _signal.signal(_signal.SIGTERM, terminate)
    readable, _wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    _signal.set_wakeup_fd(_wakeup, warn_on_full_buffer=False)
    return readable


def handled_signals():
    """After the handlers have run: raises SystemExit when one of the signals was SIGTERM."""
    if _terminated:
        raise SystemExit


# ---------------------------------------------------------------------------------------------------------------------
# Managed Instances: several requests at once, each in a process of its own


def fork_workers(count, log_socket):
    """Forks `count` workers and returns in each of them. The parent stays here, replaces workers that end, and leaves
    by SystemExit: at SIGTERM, or when workers end as fast as they are made.

    The application is imported by now: its memory is shared until it is written to, so the collector, which writes to
    every object that it looks at, is told to leave it alone.
    """
    import gc

    gc.collect()
    gc.freeze()
    workers = {}
    ending = False
    in_vain = 0

    def end(number, frame):
        nonlocal ending
        ending = True
        for pid in workers:
            os.kill(pid, _signal.SIGTERM)

    _signal.signal(_signal.SIGTERM, end)
    while not ending or workers:
        while len(workers) < count and not ending:
            _signal.pthread_sigmask(_signal.SIG_BLOCK, [_signal.SIGTERM])  # else a new worker could run `end`
            pid = os.fork()
            if pid == 0:
                _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
                _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
                _redirect_output(log_socket)
                return
            workers[pid] = time.monotonic()
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGTERM])
        pid, status = os.wait()
        age = time.monotonic() - workers.pop(pid, 0)
        if ending:
            continue
        _log_worker(pid, status)
        in_vain = in_vain + 1 if age < 1 else 0
        if in_vain > 3 * count:
            raise SystemExit(1)
    raise SystemExit(0)


def _log_worker(pid, status):
    code = os.waitstatus_to_exitcode(status)
    how = f"by signal {-code}" if code < 0 else f"with exit status {code}"
    sys.stdout.write(f"[WARNING]\tworker {pid} ended {how}: a new one takes its place\n")


def _redirect_output(path):
    """Output of workers that share a pipe would be mixed: the platform gives each a stream (awslambdaric,
    `lambda_multi_concurrent_utils.py`)."""
    if not path:
        return
    import socket

    for descriptor in (1, 2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.connect(path)
            os.dup2(stream.fileno(), descriptor)


# ---------------------------------------------------------------------------------------------------------------------
# SnapStart


class _SnapshotHooks:
    """Finds `snapshot_restore_py` where it is not installed: AWS's registry of SnapStart hooks (its 1.0.0), which the
    managed runtimes bring along. Last in line, so that a real one wins."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "snapshot_restore_py":
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, _SnapshotHooks)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        before, after = [], []

        def registrar(hooks):
            def register(function, *args, **kwargs):
                hooks.append((function, args, kwargs))
                return function

            return register

        module.register_before_snapshot = registrar(before)
        module.register_after_restore = registrar(after)
        module.get_before_snapshot = lambda: before
        module.get_after_restore = lambda: after


def before_snapshot():
    """Runs the hooks, the last registered first, as the managed runtime does."""
    import gc

    import snapshot_restore_py

    hooks = snapshot_restore_py.get_before_snapshot()
    for function, args, kwargs in reversed(list(hooks)):
        function(*args, **kwargs)
    gc.collect()  # what is garbage now would be restored for ever


def after_restore():
    """Makes what all restored copies would share different again, then runs the hooks in order."""
    import snapshot_restore_py

    if "random" in sys.modules:
        sys.modules["random"].seed()
    for function, args, kwargs in snapshot_restore_py.get_after_restore():
        function(*args, **kwargs)


# ---------------------------------------------------------------------------------------------------------------------
# The deadline


class DeadlineReached(TimeoutError):
    """Raised in the application a moment before the platform ends the invocation."""

    def __init__(self, message="the function's timeout is near: the request is given up"):
        super().__init__(message)


_serving = False


def prepare_deadline(interrupt_signal, stacks_signal):
    """Prepares the two signals of the deadline. The first interrupts the application: a handler of Python's own also
    ends what blocks in a system call (PEP 475), which an exception set from another thread would not. Before it raises
    it writes every thread's stack to a file in memory, whose descriptor is given, and a NUL behind them.

    The second writes the stacks without waiting for the interpreter, for when C code holds it and the first gets no
    answer. While Python code runs that is not safe.
    """
    import faulthandler

    descriptor = os.memfd_create("stacks")

    def interrupt(number, frame):
        if _serving:
            faulthandler.dump_traceback(descriptor, all_threads=True)
            os.write(descriptor, b"\0")
            raise DeadlineReached

    _signal.signal(interrupt_signal, interrupt)
    faulthandler.register(stacks_signal, file=descriptor, all_threads=True)
    return descriptor


# ---------------------------------------------------------------------------------------------------------------------
# Errors


def describe(exception):
    """A class name, a message and a list of traceback elements, of which each ends in a newline.

    Frames of the import system are left out; ours never show, since the application is called from Rust.
    """
    name = type(exception).__name__
    try:
        message = str(exception)
    except BaseException:
        message = "<the exception could not be shown>"
    try:
        trace = [_encodable(line) for line in _trace(exception)]
    except BaseException:  # a traceback is worth less than the error it describes
        trace = []
    return name, _encodable(message), trace


def _encodable(text):
    """Lone surrogates can be in a str but not in a log."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _trace(exception):
    import traceback

    shown = traceback.TracebackException.from_exception(exception)
    part = shown
    while part is not None:
        frames = [frame for frame in part.stack if not frame.filename.startswith("<frozen importlib")]
        part.stack = traceback.StackSummary.from_list(frames)
        part = part.__cause__ or part.__context__
    lines = list(shown.format())
    if lines and lines[0].startswith("Traceback (most recent call last)"):
        del lines[0]
    last = list(shown.format_exception_only())
    if not isinstance(exception, SyntaxError) and lines[-len(last) :] == last:
        del lines[-len(last)]  # `Type: message` is told apart from the trace; notes stay
    return lines


# ---------------------------------------------------------------------------------------------------------------------
# Files


class FileWrapper:
    """`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling")."""

    # The PEP calls the block size a hint. Blocks of the classic 8 KiB would only cost turns of the loop.
    smallest = 64 * 1024

    def __init__(self, filelike, block_size=8192):
        if block_size <= 0:
            raise ValueError("block_size must be positive")
        self.filelike = filelike
        self.block_size = max(block_size, self.smallest)
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_size)
        if not data:
            raise StopIteration
        return data


# ---------------------------------------------------------------------------------------------------------------------
# Logging


class _AfterImport:
    """Does something at the moment at which the application imports a module, and not before: importing `logging` for
    it costs milliseconds that an application without it need not pay."""

    def __init__(self, module, prepare):
        self.module = module
        self.prepare = prepare
        self.looking = False

    def find_spec(self, name, path=None, target=None):
        if name != self.module or self.looking:
            return None
        from _frozen_importlib import _find_spec

        self.looking = True  # else it would find itself
        try:
            spec = _find_spec(name, path, target)
        finally:
            self.looking = False
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        execute = spec.loader.exec_module

        def execute_and_prepare(module):
            execute(module)
            if self in sys.meta_path:  # once: a look at the spec alone imports nothing
                sys.meta_path.remove(self)
                self.prepare(module)

        spec.loader.exec_module = execute_and_prepare
        return spec


def _hide_events(debug):
    """Django's error reports hide cookies and POST fields by the names of META's keys, and look into dicts. The event
    holds both under names that it does not know."""
    import re

    known = debug.SafeExceptionReporterFilter.hidden_settings
    pattern = rf"{known.pattern}|^(?:wsgi_lambda|serverless|awsgi|lambda)\.event$"
    debug.SafeExceptionReporterFilter.hidden_settings = re.compile(pattern, re.IGNORECASE)


def prepare_logging(json_format, level, telemetry_fd):
    """One handler on the root logger, as the managed runtime has it: an application that only sets a level gets its
    records out, and `logging.basicConfig()` finds the work done."""
    os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)  # as there: children must not write to it
    try:
        os.fstat(telemetry_fd if telemetry_fd is not None else -1)
    except OSError:
        telemetry_fd = None

    def prepare(logging):
        root = logging.getLogger()
        root.addHandler(_make_handler(logging, json_format, telemetry_fd))
        if level:
            root.setLevel(level)

    if "logging" in sys.modules:
        prepare(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, _AfterImport("logging", prepare))
    sys.meta_path.insert(0, _AfterImport("django.views.debug", _hide_events))


def _make_handler(logging, json_format, telemetry_fd):
    class LambdaHandler(logging.Handler):
        """Writes records to the telemetry descriptor, or to standard output."""

        def emit(self, record):
            try:
                text = _encodable(self.format(record))
                if telemetry_fd is not None:
                    _write_frame(telemetry_fd, record.levelno, json_format, text + "\n")
                    return
                if not json_format and (record.exc_info or record.exc_text or record.stack_info):
                    text = _one_event(text)
                _mend_streams()
                sys.stdout.write(text + "\n")
            except RecursionError:
                raise
            except Exception:
                self.handleError(record)

    class RequestFilter(logging.Filter):
        """Gives every record the id of the request it belongs to."""

        def filter(self, record):
            record.aws_request_id = request_id
            record.tenant_id = tenant_id
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
