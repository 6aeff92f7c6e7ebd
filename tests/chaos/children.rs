//! Children that an application forks.

use super::{accepted, get};
use crate::support::{Function, source};
use wsgi_lambda::emulator::Route;

const APP: &str = r#"
import atexit, multiprocessing, os, signal, sys, time
import wsgi_lambda

atexit.register(print, "the parent's atexit")

def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def sleep(connection):
    connection.send("there")
    time.sleep(60)

def child(path):
    "What the child does; the parent comes back with how it ended."
    pid = os.fork()
    if pid:
        return status(pid)
    if path == "/exit-4": sys.exit(4)
    if path == "/exit-text": sys.exit("words")
    if path == "/exit-none": sys.exit()
    if path == "/interrupted": raise KeyboardInterrupt
    if path == "/raises": raise ValueError("in the child")
    if path == "/returns": return "back"
    if path == "/os-exit": os._exit(6)
    if path == "/kills-itself": os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)
    if path == "/handlers":
        own = {number: signal.getsignal(number) for number in signal.valid_signals() if callable(signal.getsignal(number))}
        expected = {signal.SIGINT: signal.default_int_handler}, {}  # none where the shell ignores SIGINT
        os._exit(int(own not in expected) + 2 * int(signal.set_wakeup_fd(-1) != -1))

in_generator = False

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path.startswith("/generator"):
        return generate(path.removeprefix("/generator"))
    if path == "/terminate":
        ours, theirs = multiprocessing.get_context("fork").Pipe()
        process = multiprocessing.get_context("fork").Process(target=sleep, args=(theirs,))
        process.start(); ours.recv(); process.terminate(); process.join(10)
        return [repr(process.exitcode).encode()]
    if path == "/pool":
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return [repr(pool.map(abs, range(4))).encode()]
    if path == "/after":
        wsgi_lambda.after_response(once)
        return [b"registered"]
    if path == "/signal":
        signal.signal(signal.SIGUSR1, lambda number, frame: os.fork())
        os.kill(os.getpid(), signal.SIGUSR1)
        return [b"forked by a handler"]
    return [repr(child(path)).encode()]

def once():
    wsgi_lambda_callbacks = sys.modules["_wsgi_lambda_lifecycle"]._after_response
    wsgi_lambda_callbacks.clear()
    os.fork()

def generate(path):
    yield b"status "
    yield repr(child(path)).encode()
"#;

fn count(function: &Function, route: Route) -> usize {
    function.calls().iter().filter(|call| call.route == route).count()
}

#[test]
fn their_exit_status_is_their_own_and_they_never_answer() {
    for mode in ["buffered", "stream"] {
        let mut function = source(APP).env("WSGI_LAMBDA_RESPONSE_MODE", mode).start();
        let mut served = 0;
        for (path, status) in [
            ("/exit-4", "4"),
            ("/exit-text", "1"),
            ("/exit-none", "0"),
            ("/raises", "1"),
            ("/interrupted", "-2"),
            ("/returns", "0"),
            ("/os-exit", "6"),
            ("/kills-itself", "-15"),
            ("/handlers", "0"),
        ] {
            assert_eq!(function.invoke(get(path)).text(), status, "{mode} {path}: {}", function.logs());
            let streamed = function.invoke(get(&format!("/generator{path}")));
            assert_eq!(streamed.text(), format!("status {status}"), "{mode} {path}: {}", function.logs());
            served += 2;
        }
        assert_eq!((accepted(&function), count(&function, Route::Next)), (served, served + 1), "{mode}");
        let logs = function.logs();
        assert!(logs.contains("words") && logs.contains("ValueError: in the child"), "{logs}");
        assert!(!logs.contains("the parent's atexit"), "{logs}");
    }
}

#[test]
fn they_end_at_terminate_and_pools_end() {
    let mut function = source(APP).start();
    for _ in 0..20 {
        assert_eq!(function.invoke(get("/terminate")).text(), "-15", "{}", function.logs());
    }
    if std::path::Path::new("/dev/shm").is_dir() {
        for _ in 0..5 {
            assert_eq!(function.invoke(get("/pool")).text(), "[0, 1, 2, 3]", "{}", function.logs());
        }
    }
}

#[test]
fn one_that_comes_back_from_a_callback_or_a_signal_handler_ends_too() {
    let mut function = source(APP).start();
    for path in ["/after", "/signal"] {
        assert_eq!(function.invoke(get(path)).status(), 200, "{}", function.logs());
        assert_eq!(function.invoke(get("/returns")).text(), "0", "after {path}: {}", function.logs());
    }
    assert_eq!((accepted(&function), count(&function, Route::Next)), (4, 5));
}

#[test]
fn one_that_comes_back_from_a_snapshot_hook_ends_too() {
    let app = "import os\n\
        from snapshot_restore_py import register_after_restore, register_before_snapshot\n\
        register_before_snapshot(os.fork)\nregister_after_restore(os.fork)\n\
        def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'one']\n";
    let mut function = source(app).env("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start").start();
    assert_eq!(function.invoke(get("/")).text(), "one");
    assert_eq!((accepted(&function), count(&function, Route::Next), count(&function, Route::RestoreNext)), (1, 2, 1));
}

/// One signal or another comes in the middle of each fork, and locks, masks and handlers are what they were.
#[test]
fn forks_across_deadlines_and_beside_other_threads_leave_everything_as_it_was() {
    let app = "import logging, os, signal, threading, time\n\
        stop = False\n\
        def fork():\n    \
            pid = os.fork()\n    \
            if pid == 0: os._exit(0)\n    \
            os.waitpid(pid, 0)\n\
        def beside():\n    \
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n    \
            while not stop: fork()\n\
        def app(environ, start_response):\n    \
            global stop\n    \
            start_response('200 OK', [])\n    \
            if environ['PATH_INFO'] == '/forks':\n        \
                thread = threading.Thread(target=beside, daemon=True)\n        \
                thread.start()\n        \
                end = time.monotonic() + 20\n        \
                while time.monotonic() < end: fork()\n    \
            stop = True\n    \
            free = threading.Thread(target=logging.getLogger, args=('x%f' % time.time(),))\n    \
            free.start(); free.join(5)\n    \
            return [repr((free.is_alive(), signal.pthread_sigmask(signal.SIG_BLOCK, ()))).encode()]\n";
    let mut function = super::watched(source(app)).start();
    for _ in 0..4 {
        assert_eq!(super::hurried(&mut function, "/forks").status(), 504, "{}", function.logs());
        assert_eq!(function.invoke(get("/")).text(), "(False, set())", "{}", function.logs());
    }
}

#[test]
fn one_that_the_import_forks_says_nothing_to_the_platform() {
    let app = "import os\nos.fork()\n";
    let (function, started) = source(app).try_start();
    assert!(started.unwrap_err().to_string().contains("missing"), "{}", function.logs());
    assert_eq!(count(&function, Route::InitError), 1, "{}", function.logs());
    assert!(!function.logs().contains("panicked"), "{}", function.logs());
}
