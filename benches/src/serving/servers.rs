//! The servers, and how each is started.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::Client;
use crate::api::free_port;
use crate::peers::{App, beside};
use crate::process::{Launch, Processes, Program};
use crate::setup::Place;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebServer {
    /// Behind a Function URL, as it starts without options.
    Serve,
    /// The WSGI server that most use. Its default worker closes each connection.
    Gunicorn,
    /// The same with a worker that keeps connections.
    GunicornKept,
    /// That one, with a process in between that hands on bytes: what any gateway costs.
    GunicornRelayed,
    /// What one starts while developing: `python app.py`, with the development server of Flask or of the standard library.
    Development,
    /// `cargo lambda watch`, with our runtime behind it.
    CargoLambda,
    /// `sam local start-api`, with AWS's runtime in a container.
    Sam,
}

/// A started server. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    port: u16,
    path: &'static str,
    processes: Vec<Processes>,
}

impl Running {
    pub(super) fn client(&self) -> Client {
        Client::new(self.port, self.path)
    }

    /// The first process.
    pub(super) fn pid(&self) -> i32 {
        self.processes.first().map_or(0, Processes::first)
    }
}

impl WebServer {
    pub(crate) const ALL: [Self; 7] = [
        Self::Serve,
        Self::Gunicorn,
        Self::GunicornKept,
        Self::GunicornRelayed,
        Self::Development,
        Self::CargoLambda,
        Self::Sam,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serve => "wsgi-lambda serve",
            Self::Gunicorn => "gunicorn, one sync worker",
            Self::GunicornKept => "gunicorn, one gthread worker",
            Self::GunicornRelayed => "gunicorn, gthread, relayed",
            Self::Development => "python app.py",
            Self::CargoLambda => "cargo lambda watch",
            Self::Sam => "sam local start-api",
        }
    }

    /// Why it cannot be measured here.
    pub(super) fn missing(self, place: &Place) -> Option<String> {
        match self {
            Self::CargoLambda if cargo_lambda(place).is_none() => {
                Some("it is not installed: `make test` puts it into .cache/venv-tools".to_owned())
            }
            Self::Sam if on_path("sam").is_none() => Some("it is not installed: pip install aws-sam-cli".to_owned()),
            Self::Sam if on_path("docker").is_none() => Some("it needs docker".to_owned()),
            _ => None,
        }
    }

    /// Starts it; it may not listen yet.
    pub(super) fn start(self, place: &Place, app: App) -> Result<Running> {
        let port = free_port()?;
        let (text, application) = (port.to_string(), format!("{}:application", app.module()));
        let listen = format!("127.0.0.1:{port}");
        let program = match self {
            Self::Serve => {
                let bootstrap = place.bootstrap.display().to_string();
                program(&place.cli, &["serve", &application, "--port", &text, "--bootstrap", &bootstrap])
            }
            Self::Gunicorn => {
                program(&place.python, &["-m", "gunicorn", "--bind", &listen, "--workers", "1", &application])
            }
            Self::GunicornKept => kept(place, &listen, &application),
            Self::GunicornRelayed => return self.relayed(place, &application, port),
            Self::Development => program(&place.python, &["development.py", app.module(), &text]),
            Self::CargoLambda => return self.cargo_lambda(place, app, port),
            Self::Sam => return self.sam(place, app, port),
        };
        let processes = vec![self.spawn(place, vec![program], &place.task_root, &[])?];
        Ok(Running { port, path: "/", processes })
    }

    fn relayed(self, place: &Place, application: &str, port: u16) -> Result<Running> {
        let to = free_port()?;
        let gunicorn = kept(place, &format!("127.0.0.1:{to}"), application);
        let processes = self.spawn(place, vec![gunicorn], &place.task_root, &[])?;
        listens(to)?;
        let relay = program(&beside("bench-relay")?, &[&port.to_string(), &to.to_string()]);
        let relay = self.spawn(place, vec![relay], &place.task_root, &[])?;
        Ok(Running { port, path: "/", processes: vec![processes, relay] })
    }

    fn spawn(self, place: &Place, programs: Vec<Program>, folder: &Path, env: &[(&str, String)]) -> Result<Processes> {
        let log = place.cache.join("logs").join(format!("{}.log", self.name().replace([' ', ','], "-")));
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let launch = Launch { programs, task_root: folder.to_owned(), env, log, slice: place.slice.clone() };
        Processes::spawn(&launch, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)))
    }

    /// It wants the folder of a cargo package, whose program it does not start.
    fn cargo_lambda(self, place: &Place, app: App, port: u16) -> Result<Running> {
        let Some(tool) = cargo_lambda(place) else { bail!("it is not installed") };
        let package = place.cache.join("cargo-package");
        fs::create_dir_all(package.join("src"))?;
        fs::write(package.join("src/main.rs"), "fn main() {}")?;
        let manifest = "[package]\nname = \"function\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(package.join("Cargo.toml"), manifest)?;
        let text = port.to_string();
        let options = ["--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port", &text];
        let emulator = program(&tool, &[&["lambda", "watch"], &options[..]].concat());
        // Where cargo is: it looks for the package with it.
        #[allow(clippy::disallowed_methods)]
        let path = std::env::var("PATH").unwrap_or_default();
        #[allow(clippy::disallowed_methods)]
        let home = std::env::var("HOME").unwrap_or_default();
        let emulator = self.spawn(place, vec![emulator], &package, &[("PATH", path), ("HOME", home)])?;
        listens(port)?;
        let env = [
            ("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt/function")),
            ("_HANDLER", format!("{}.application", app.module())),
        ];
        let runtime = self.spawn(place, vec![program(&place.bootstrap, &[])], &place.task_root, &env)?;
        Ok(Running { port, path: "/lambda-url/function/", processes: vec![emulator, runtime] })
    }

    /// With AWS's managed runtime and apig-wsgi, as the peers of the other tables.
    fn sam(self, place: &Place, app: App, port: u16) -> Result<Running> {
        let Some(sam) = on_path("sam") else { bail!("it is not installed") };
        let folder = place.cache.join("sam");
        fs::create_dir_all(&folder)?;
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  Function:\n    Type: AWS::Serverless::Function\n    \
             Properties:\n      CodeUri: {}\n      Handler: peer_apig.handler\n      Runtime: python{}\n      Environment:\n        \
             Variables:\n          BENCH_APP: {}\n      Events:\n        Any:\n          Type: Api\n          Properties:\n            \
             Path: /\n            Method: get\n",
            place.task_root.display(),
            place.version,
            app.module()
        );
        fs::write(folder.join("template.yaml"), template)?;
        let text = port.to_string();
        let options = ["local", "start-api", "--host", "127.0.0.1", "--port", &text, "--warm-containers", "EAGER"];
        #[allow(clippy::disallowed_methods)]
        let path = std::env::var("PATH").unwrap_or_default();
        let processes = self.spawn(place, vec![program(&sam, &options)], &folder, &[("PATH", path)])?;
        Ok(Running { port, path: "/", processes: vec![processes] })
    }
}

/// gunicorn with the worker that keeps connections, over the others' turns too.
fn kept(place: &Place, listen: &str, application: &str) -> Program {
    let kind =
        ["--worker-class", "gthread", "--threads", "1", "--keep-alive", "60", "--workers", "1", "--bind", listen];
    program(&place.python, &[&["-m", "gunicorn"], &kind[..], &[application]].concat())
}

fn listens(port: u16) -> Result<()> {
    let begin = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if begin.elapsed() > Duration::from_secs(30) {
            bail!("it does not listen");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn cargo_lambda(place: &Place) -> Option<PathBuf> {
    let installed = place.cache.with_file_name("venv-tools").join("bin/cargo-lambda");
    installed.is_file().then_some(installed).or_else(|| on_path("cargo-lambda"))
}

fn on_path(name: &str) -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods)]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn program(path: &Path, arguments: &[&str]) -> Program {
    Program { path: path.to_owned(), arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() }
}
