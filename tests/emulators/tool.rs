//! Emulators as processes: where they are, how they start, what they wrote.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::root;

/// The file of a tool, or `None` after a line that says what is not tested. `REQUIRE_TOOLS=1` makes that a
/// failure.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let venv = variable("TEST_TOOLS").map_or_else(|| root().join(".cache/venv-tools"), PathBuf::from);
    let libs = std::fs::read_dir(venv.join("lib")).into_iter().flatten().flatten();
    let rapid = libs.map(|python| python.path().join("site-packages/samcli/local/rapid").join(name));
    let found = rapid.chain([venv.join("bin").join(name)]).find(|path| path.is_file());
    if found.is_none() {
        let message = format!("{name} is not in {}: `make test` installs it", venv.display());
        assert!(variable("REQUIRE_TOOLS").is_none(), "{message}");
        // Past the capture of the test harness, so that it is seen.
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("SKIPPED: {message}\n"));
    }
    found
}

#[allow(clippy::disallowed_methods, reason = "settings of the tests, not of the program")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A process and what it writes. Dropping it ends it.
pub(crate) struct Tool {
    child: Child,
    folder: TempDir,
}

impl Tool {
    pub(crate) fn start(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        // Standard input is not for it: the Runtime Interface Emulator takes events there.
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { child: command.spawn().unwrap(), folder }
    }

    /// What the process and its children have written until now.
    pub(crate) fn logs(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.path().join("log")).unwrap()).into_owned()
    }

    /// Waits until the process listens.
    pub(crate) fn listens(&mut self, port: u16) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < Duration::from_secs(30), "{ended:?}: {}", self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tool {
    /// SIGTERM first: an emulator ends its own child then.
    fn drop(&mut self) {
        let _ = super::support::kill("TERM", self.child.id()).status();
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sets what Lambda would: an emulator gives its own variables to the runtime that it starts.
pub(crate) fn function<'c>(command: &'c mut Command, task_root: &Path, handler: &str) -> &'c mut Command {
    command
        .current_dir(task_root)
        .env("LAMBDA_TASK_ROOT", task_root)
        .env("_HANDLER", handler)
        .env("AWS_LAMBDA_FUNCTION_NAME", "function")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
        .env("WSGI_LAMBDA_VENV", root().join(".cache/venv"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
}
