//! Starts an application as its function would: with the real runtime, the function's handler and variables.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::local;
use super::model::Function;
use super::project::Project;
use crate::bundle::{Architecture, Elf};
use crate::cli::failure::Failure;
use crate::cli::packaging::target::python_of_bootstrap;
use crate::config;
use crate::emulator::{Exit, HttpResponse, Launch, Sandbox, StartError, Submission};
use crate::sync::lock;

/// How long an import may take on a developer's machine.
const INIT_TIMEOUT: Duration = Duration::from_secs(60);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The caller's variables that a program needs to start at all. The others would hide what the function lacks, and
/// with credentials an import would reach a real account.
const INHERITED: &[&str] = &["PATH", "LD_LIBRARY_PATH", "TMPDIR"];

/// How applications are started.
pub(super) struct Runner {
    pub(super) bootstrap: PathBuf,
    /// The Python in it. `None`: it does not run here.
    pub(super) minor: Option<u32>,
    /// The processor that it is for.
    pub(super) architecture: Option<Architecture>,
    pub(super) venv: Option<PathBuf>,
    variables: Vec<(String, String)>,
    runtime: tokio::runtime::Runtime,
}

/// An application on this machine: prepared, then started.
pub(super) struct LocalRun<'a> {
    runner: &'a Runner,
    sandbox: Sandbox,
    logs: Arc<Mutex<String>>,
    /// The folder of the code while it runs.
    pub(super) root: PathBuf,
    /// Temporary folders, removed with it.
    _folders: Vec<TempDir>,
}

impl Runner {
    pub(super) fn new(
        bootstrap: PathBuf,
        venv: Option<PathBuf>,
        variables: Vec<(String, String)>,
    ) -> Result<Self, Failure> {
        let runtime = crate::cli::shared::tokio_runtime()?;
        let minor = python_of_bootstrap(&bootstrap).map(|python| python.minor);
        let elf = std::fs::read(&bootstrap).ok().and_then(|bytes| Elf::read(&bytes).ok()?);
        let architecture = elf.and_then(|elf| elf.architecture);
        Ok(Self { bootstrap, minor, architecture, venv, variables, runtime })
    }

    /// Prepares a function to be started, with these variables on top. `None` if its code is not here.
    pub(super) fn prepare<'a>(
        &'a self,
        project: &Project,
        function: &Function,
        variables: &[(&str, String)],
    ) -> Result<Option<LocalRun<'a>>, Failure> {
        let Some(code) = project.code(function) else { return Ok(None) };
        let mut folders = vec![layer_folder(project, function)?];
        let layer_dir =
            folders.iter().map(TempDir::path).next().unwrap_or(Path::new(config::LAYER_DIR.default)).to_owned();
        let mut root = code.path.canonicalize().unwrap_or_else(|_| code.path.clone());
        if code.is_zip() {
            let folder = temporary()?;
            code.unpack(folder.path()).map_err(|error| Failure::Failed(format!("{}: {error}", code.path.display())))?;
            folder.path().clone_into(&mut root);
            folders.push(folder);
        }
        // A folder with installed packages is complete. The virtual environment would hide what it lacks.
        let venv = self.venv.as_ref().filter(|_| !code.is_built());
        let launch = self.launch(function, &root, &layer_dir, venv.map(PathBuf::as_path));
        let launch = variables.iter().fold(launch, |launch, (name, value)| launch.env(*name, value));
        Ok(Some(self.local_run(launch, root, folders)))
    }

    fn local_run(&self, launch: Launch, root: PathBuf, folders: Vec<TempDir>) -> LocalRun<'_> {
        let logs = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&logs);
        let sink = Arc::new(move |line: crate::emulator::LogLine| {
            let mut text = lock(&into);
            text.push_str(&line.text);
            text.push('\n');
        });
        let sandbox = Sandbox::new(launch, sink).init_timeout(INIT_TIMEOUT);
        LocalRun { runner: self, sandbox, logs, root, _folders: folders }
    }

    fn launch(&self, function: &Function, root: &Path, layer_dir: &Path, venv: Option<&Path>) -> Launch {
        let handler = function.handler.value().map_or("", String::as_str);
        let mut launch = Launch::new(&self.bootstrap, root).one_pipe();
        // Not to read settings, but to remove every variable that the function will not have.
        for (name, _) in std::env::vars_os() {
            if !INHERITED.iter().any(|kept| name == *kept) && launch.variable(&name.to_string_lossy()).is_none() {
                launch = launch.without(name);
            }
        }
        launch = launch
            .handler(handler)
            .env("LANG", "en_US.UTF-8")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env(config::LAYER_DIR.name, layer_dir);
        if let Some(venv) = venv {
            launch = launch.env(config::VENV.name, venv);
        }
        for (name, value) in local::variables(function, root, layer_dir) {
            launch = launch.env(name, value);
        }
        self.variables.iter().fold(launch, |launch, (name, value)| launch.env(name, value))
    }

    /// Whether the command line sets a variable.
    pub(super) fn sets(&self, name: &str) -> bool {
        self.variables.iter().any(|(given, _)| given == name)
    }
}

impl LocalRun<'_> {
    /// Starts the application and waits until it takes requests.
    pub(super) fn start(&mut self) -> Result<(), Box<StartError>> {
        let sandbox = &mut self.sandbox;
        self.runner.runtime.block_on(sandbox.start()).map(|_| ()).map_err(Box::new)
    }

    /// Sends a GET for a page that does not exist, to this host.
    pub(super) fn get(&mut self, host: &str) -> Option<HttpResponse> {
        let path = "/wsgi-lambda-doctor-looks-for-nothing/";
        let event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": { "host": host, "x-forwarded-proto": "https", "x-forwarded-port": "443", "accept": "text/html" },
            "requestContext": {
                "accountId": "anonymous", "apiId": "abc123", "domainName": host, "stage": "$default", "requestId": "doctor",
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            },
            "isBase64Encoded": false,
        });
        let sandbox = &mut self.sandbox;
        let outcome = self.runner.runtime.block_on(async {
            let outcome = sandbox.invoke(Submission::new(event.to_string()).timeout(REQUEST_TIMEOUT)).await;
            sandbox.settle().await;
            outcome
        });
        HttpResponse::of(&outcome)
    }

    /// What the application has written until now.
    pub(super) fn logs(&self) -> String {
        lock(&self.logs).clone()
    }

    /// How the process ended, if it has.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.sandbox.last_exit()
    }

    pub(super) fn stop(&mut self) {
        let sandbox = &mut self.sandbox;
        self.runner.runtime.block_on(sandbox.stop());
    }
}

/// The `python` folders of the local layers, merged as Lambda merges them.
fn layer_folder(project: &Project, function: &Function) -> Result<TempDir, Failure> {
    let folder = temporary()?;
    for layer in project.deployment.local_layers(function) {
        let Some(contents) = project.layer_contents(layer).filter(|contents| contents.has_folder("python")) else {
            continue;
        };
        copy_python(contents, folder.path())
            .map_err(|error| Failure::Failed(format!("cannot unpack {}: {error}", contents.path.display())))?;
    }
    Ok(folder)
}

fn copy_python(contents: &super::contents::Contents, into: &Path) -> std::io::Result<()> {
    for name in contents.names().filter(|name| name.starts_with("python/")) {
        let target = into.join(name);
        if let (Some(folder), Some(bytes)) = (target.parent(), contents.read(name)) {
            std::fs::create_dir_all(folder)?;
            std::fs::write(&target, bytes)?;
        }
    }
    Ok(())
}

fn temporary() -> Result<TempDir, Failure> {
    tempfile::tempdir().map_err(|error| Failure::Failed(format!("no temporary folder: {error}")))
}
