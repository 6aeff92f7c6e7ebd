//! Several workers: some die, some start threads, some are gevent's.

use std::time::{Duration, Instant};

use super::{accepted, get};
use crate::support::{Function, Setup, kill, root, skipped, source};
use wsgi_lambda::emulator::{Outcome, Running, Submission};

const WORKERS: usize = 4;
/// Of the function. No test takes as long.
const TIMEOUT: Duration = Duration::from_secs(900);

const APP: &str = r#"
import os, signal, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [])
    if path == "/crash":
        signal.raise_signal(signal.SIGSEGV)
    if path == "/slow":
        time.sleep(1)
    if path == "/child":
        import subprocess
        subprocess.run(["true"], check=True)
    return [f"{os.getpid()} {os.getppid()}".encode()]
"#;

fn workers(app: &str) -> Setup {
    source(app)
        .env("AWS_LAMBDA_MAX_CONCURRENCY", &WORKERS.to_string())
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")
}

fn submit(function: &Function, path: &str) -> Running {
    function.api().submit(Submission::new(get(path).to_string()).timeout(TIMEOUT))
}

fn outcome(function: &mut Function, running: Running) -> Outcome {
    let told = function.with(async |_| tokio::time::timeout(TIMEOUT / 10, running.outcome()).await);
    told.expect("nobody waits for the function's timeout")
}

fn parent(function: &mut Function) -> String {
    let running = submit(function, "/");
    let Outcome::Response(response) = outcome(function, running) else { panic!("{}", function.logs()) };
    let text = String::from_utf8_lossy(&response.body).into_owned();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    body["body"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn however_many_requests_crash_the_others_are_served_and_callers_are_told_at_once() {
    let mut function = workers(APP).start();
    let slow = submit(&function, "/slow");
    for _ in 0..10 {
        let crashing: Vec<Running> = (0..3).map(|_| submit(&function, "/crash")).collect();
        for running in crashing {
            let Outcome::Error(report) = outcome(&mut function, running) else { panic!("{}", function.logs()) };
            let report = String::from_utf8_lossy(&report.body).into_owned();
            assert!(report.contains("Runtime.ExitError") && report.contains("by signal 11"), "{report}");
        }
    }
    assert!(matches!(outcome(&mut function, slow), Outcome::Response(_)), "{}", function.logs());
    assert_eq!(accepted(&function), 31);
}

#[test]
fn kill_9_under_load_loses_nothing_in_silence() {
    let mut function = workers(APP).start();
    let parent = parent(&mut function);
    let children = || {
        let text = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let end = Instant::now() + Duration::from_secs(3);
    let (mut answered, mut failed) = (0, 0);
    while Instant::now() < end {
        let running: Vec<Running> = (0..WORKERS).map(|_| submit(&function, "/")).collect();
        if let Some(victim) = children().first() {
            let _ = kill("KILL", victim).stderr(std::process::Stdio::null()).status();
        }
        for one in running {
            match outcome(&mut function, one) {
                Outcome::Response(_) => answered += 1,
                Outcome::Error(_) => failed += 1,
                other => panic!("{other:?}: {}", function.logs()),
            }
        }
    }
    assert!(answered > failed && answered > 0, "{answered} answered, {failed} failed");
    assert!(children().len() <= WORKERS, "no dead ones are left: {:?}", children());
}

#[test]
fn threads_that_are_started_by_the_import_work_in_every_worker() {
    let app = "import queue, threading\n\
        asked, given = queue.Queue(), queue.Queue()\n\
        def loop():\n    while True: given.put(asked.get() + 1)\n\
        threading.Thread(target=loop, name='the loop', daemon=True).start()\n\
        def app(environ, start_response):\n    \
            start_response('200 OK', [])\n    asked.put(1)\n    return [str(given.get()).encode()]\n";
    let mut function = workers(app).start();
    for _ in 0..3 {
        let running: Vec<Running> = (0..WORKERS).map(|_| submit(&function, "/")).collect();
        for one in running {
            assert!(matches!(outcome(&mut function, one), Outcome::Response(_)), "{}", function.logs());
        }
    }
    let logs = function.logs();
    assert_eq!(logs.matches("started the thread \"the loop\" while it was imported").count(), 1, "{logs}");
    assert!(!logs.contains("_WSGI_LAMBDA"), "{logs}");
}

#[test]
fn fastapis_example_works_in_workers() {
    let venv = root().join(".cache/venv");
    let mut function = crate::support::app("examples/fastapi", "app:application")
        .env("WSGI_LAMBDA_VENV", venv.to_str().unwrap())
        .env("AWS_LAMBDA_MAX_CONCURRENCY", "3")
        .start();
    for _ in 0..3 {
        let running: Vec<Running> = (0..3).map(|_| submit(&function, "/json")).collect();
        for one in running {
            assert!(matches!(outcome(&mut function, one), Outcome::Response(_)), "{}", function.logs());
        }
    }
}

#[test]
fn gevents_workers_have_children_are_replaced_and_end() {
    let venv = root().join(".cache/venv");
    let has_gevent = std::process::Command::new(venv.join("bin/python")).args(["-c", "import gevent"]).output();
    if !has_gevent.unwrap().status.success() {
        skipped("gevent is not installed for this Python (tests/requirements.txt)");
        return;
    }
    let app = format!("from gevent import monkey\nmonkey.patch_all()\n{APP}");
    let mut function = workers(&app).env("WSGI_LAMBDA_VENV", venv.to_str().unwrap()).start();
    let parent = parent(&mut function);
    for path in ["/child", "/child", "/crash", "/child"] {
        let running: Vec<Running> = (0..WORKERS).map(|_| submit(&function, path)).collect();
        for one in running {
            let outcome = outcome(&mut function, one);
            let expected = matches!(outcome, Outcome::Response(_)) != (path == "/crash");
            assert!(expected, "{path}: {outcome:?} {}", function.logs());
        }
    }
    let states = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    for pid in states.split_whitespace() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(!stat.contains(") Z "), "a dead worker is left: {stat}");
    }
    assert!(kill("TERM", &parent).status().unwrap().success());
    assert_eq!(function.ended(Duration::from_secs(60)), "exit status 0", "{}", function.logs());
}

#[test]
fn an_import_that_fails_after_the_fork_ends_the_process() {
    let app = "import os, threading, time\n\
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n\
        if os.getppid() != int(os.environ['TESTER']): raise ValueError('only in a worker')\n\
        def app(environ, start_response): pass\n";
    let (_, started) = workers(app).env("TESTER", &std::process::id().to_string()).try_start();
    assert!(started.unwrap_err().to_string().contains("only in a worker"));
}

/// The platform gives each worker streams for its output. Where it does not, the lines are mixed, and nothing else happens.
#[test]
fn a_worker_that_gets_no_stream_of_its_own_serves_all_the_same() {
    let mut function = workers(APP).env("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET", "/no/such/socket").start();
    let parent = parent(&mut function);
    for _ in 0..3 {
        let running: Vec<Running> = (0..WORKERS).map(|_| submit(&function, "/")).collect();
        for one in running {
            assert!(matches!(outcome(&mut function, one), Outcome::Response(_)), "{}", function.logs());
        }
    }
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    assert_eq!(children.split_whitespace().count(), WORKERS);
    assert!(function.logs().contains("shares its parent's output"), "{}", function.logs());
}

#[test]
fn a_handler_of_the_applications_own_runs_in_workers() {
    let app = format!(
        "import signal, os\n\
        def ended(number, frame):\n    os.write(1, b'own handler in %d\\n' % os.getpid())\n    raise SystemExit\n\
        signal.signal(signal.SIGTERM, ended)\n{APP}"
    );
    let mut function = workers(&app).start();
    let parent = parent(&mut function);
    assert!(kill("TERM", &parent).status().unwrap().success());
    assert_eq!(function.ended(Duration::from_secs(60)), "exit status 0", "{}", function.logs());
    assert!(function.logs().matches("own handler in").count() > WORKERS / 2, "{}", function.logs());
}

#[test]
fn a_signal_that_comes_in_a_fork_reaches_the_handler_after_it() {
    for moment in ["before", "after_in_parent"] {
        let app = format!(
            "import signal, os\n\
            def ended(number, frame):\n    os.write(1, b'own handler\\n')\n    raise SystemExit\n\
            signal.signal(signal.SIGTERM, ended)\n\
            parent = os.getpid()\n\
            def comes():\n    if os.getpid() == parent:\n        os.kill(parent, signal.SIGTERM)\n\
            os.register_at_fork({moment}=comes)\n{APP}"
        );
        let (mut function, started) = workers(&app).try_start();
        let end = started.map_or_else(|early| early.to_string(), |()| function.ended(Duration::from_secs(60)));
        assert!(end.ends_with("exit status 0"), "{moment}: {end}\n{}", function.logs());
        assert!(function.logs().contains("own handler"), "{moment}: {}", function.logs());
        for lost in ["ignored", "SystemExit"] {
            assert!(!function.logs().contains(lost), "{moment}: {}", function.logs());
        }
    }
}
