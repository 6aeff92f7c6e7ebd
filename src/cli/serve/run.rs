//! Starts everything, and ends it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::front::{self, Front};
use super::gate::Gate;
use super::index;
use super::inspector;
use super::journal::Journal;
use super::listen::Listener;
use super::options::Options;
use super::pool::Pool;
use super::record::Recorder;
use super::reporter::Reporter;
use super::terminal::Terminal;
use super::watch::Watch;
use crate::cli::failure::Failure;
use crate::cli::function::{self, Application, Plan};
use crate::cli::out::{BOLD, DIM, Out};
use crate::config;
use crate::gateway::Settings;
use crate::request::FrontEnd;

/// How long sandboxes have to end: a function with an extension has half a second of it.
const PATIENCE: Duration = Duration::from_millis(800);

/// Serves until Ctrl-C or SIGTERM.
pub(super) async fn run(options: &Options, out: &mut Out) -> Result<(), Failure> {
    let application = find(options)?;
    let plan = plan(options, &application)?;
    if let Some(note) = &plan.note {
        out.note(note)?;
    }
    let recorder = options.record.as_deref().map(Recorder::new).transpose()?;
    let mut signals = Signals::new()?;
    let mut ports = Ports { host: options.host, next: options.port };
    let index = if options.is_all() { Some(ports.listen().await?) } else { None };
    let bound = bind(options, &mut ports).await?;
    let inspector = inspector::bind(options).await?;
    let (notices, mut heard) = mpsc::unbounded_channel();
    let journal = Arc::new(Journal::new());
    let reporter = Arc::new(Reporter::new(Arc::clone(&journal), notices));
    let pool = Pool::new(plan, options.concurrency.get(), Arc::clone(&reporter));
    pool.warm_up(None);
    let fronts: Vec<Front> = bound.iter().map(|(front, _)| front.clone()).collect();
    let everywhere = front::NAMES.iter().map(|(_, front_end)| Arc::new(settings(options, *front_end))).collect();
    let gate = Gate::new(Arc::clone(&pool), journal, Arc::clone(&reporter), fronts.clone(), everywhere, recorder);
    let gate = Arc::new(gate);
    for (front, listener) in bound {
        let served =
            Listener { front, gate: Arc::clone(&gate), reporter: Arc::clone(&reporter), idle: options.client_timeout };
        tokio::spawn(Arc::new(served).serve(listener));
    }
    let index = match index {
        Some(listener) => {
            let address = listener.local_addr().map_err(|error| cannot_listen(options.host, options.port, &error))?;
            tokio::spawn(index::serve(listener, fronts.clone()));
            Some(address)
        }
        None => None,
    };
    let inspector = match inspector {
        Some(listener) => Some(inspector::start(listener, Arc::clone(&gate))?),
        None => None,
    };
    welcome(options, &application, index, &fronts, inspector.as_deref(), out)?;
    let result = tokio::select! {
        shown = Terminal::default().run(out, &mut heard) => shown,
        () = signals.any() => Ok(()),
        () = reload(options, &application, &pool, &reporter), if options.reload => Ok(()),
    };
    tokio::select! {
        () = pool.close(PATIENCE) => {}
        () = signals.any() => {} // a second Ctrl-C
    }
    result
}

fn find(options: &Options) -> Result<Application, Failure> {
    function::application(options.app.as_deref(), options.function.dir.as_deref())
}

fn plan(options: &Options, application: &Application) -> Result<Plan, Failure> {
    let mut plan = function::plan(&options.function, application)?;
    if options.stream {
        plan.launch = plan.launch.env(config::RESPONSE_MODE.name, "stream");
    }
    Ok(plan)
}

/// Starts the application again whenever its files were saved; never returns.
async fn reload(options: &Options, application: &Application, pool: &Arc<Pool>, reporter: &Reporter) {
    let root = application.dir.canonicalize().unwrap_or_else(|_| application.dir.clone());
    let files: Vec<_> = options.function.env_file.iter().chain(&application.named_by).cloned().collect();
    // On another thread: a folder with packages has a thousand folders, and requests do not wait for them.
    let (folder, others) = (root.clone(), files);
    let watch =
        tokio::task::spawn_blocking(move || Watch::new(&folder, &others).map_err(|error| error.to_string())).await;
    let mut watch = match watch.map_err(|error| error.to_string()).flatten() {
        Ok(watch) => watch,
        Err(error) => {
            reporter.say(format!("saved files are not noticed: {error}"));
            return std::future::pending().await;
        }
    };
    loop {
        let file = watch.saved().await;
        let file = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        match find(options).and_then(|application| plan(options, &application)) {
            Ok(plan) => pool.reload(plan, &file),
            Err(failure) => reporter.say(format!("{file} was saved, but: {failure}")),
        }
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(|error| Failure::Failed(format!("cannot wait for signals: {error}")));
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// The ports, one after the other.
struct Ports {
    host: IpAddr,
    /// 0 for any.
    next: u16,
}

impl Ports {
    async fn listen(&mut self) -> Result<TcpListener, Failure> {
        let port = self.next;
        if port > 0 {
            self.next = port.checked_add(1).unwrap_or_default();
        }
        let listener = TcpListener::bind(SocketAddr::from((self.host, port))).await;
        listener.map_err(|error| cannot_listen(self.host, port, &error))
    }
}

/// A port for each front end.
async fn bind(options: &Options, ports: &mut Ports) -> Result<Vec<(Front, TcpListener)>, Failure> {
    let mut bound = Vec::new();
    for front_end in options.front_ends() {
        let listener = ports.listen().await?;
        let address = listener.local_addr().map_err(|error| cannot_listen(options.host, 0, &error))?;
        let settings = Arc::new(settings(options, front_end));
        bound.push((Front { settings, address }, listener));
    }
    Ok(bound)
}

fn cannot_listen(host: IpAddr, port: u16, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("it is taken; another one is --port {}, a free one --port 0", port.checked_add(1).unwrap_or(8000))
        }
        io::ErrorKind::PermissionDenied => format!("{error}; ports below 1024 are root's: --port 8000"),
        _ => error.to_string(),
    };
    Failure::Failed(format!("cannot listen on {}: {advice}", SocketAddr::from((host, port))))
}

fn settings(options: &Options, front_end: FrontEnd) -> Settings {
    let mut settings = Settings::new(front_end);
    if let Some(stage) = &options.stage {
        settings.stage.clone_from(stage);
    }
    if !options.binary_media_type.is_empty() {
        settings.binary_media_types.clone_from(&options.binary_media_type);
    }
    Settings {
        base_path: options.base_path.clone(),
        domain: options.domain.clone(),
        streams: options.stream,
        ..settings
    }
}

fn welcome(
    options: &Options,
    application: &Application,
    index: Option<SocketAddr>,
    fronts: &[Front],
    inspector: Option<&str>,
    out: &mut Out,
) -> Result<(), Failure> {
    let named = application.named_by.as_ref().map(|file| format!("  {DIM}named by {}{DIM:#}", file.display()));
    out.line(format_args!("{BOLD}{}{BOLD:#}{}", application.handler, named.unwrap_or_default()))?;
    if let Some(index) = index {
        out.line(format_args!("  {BOLD}http://{index}/{BOLD:#}  all front ends"))?;
    }
    for front in fronts {
        out.line(format_args!("  {BOLD}{}{BOLD:#}  {}", front.url(), front.name()))?;
    }
    if let Some(url) = inspector {
        out.line(format_args!("  {BOLD}{url}{BOLD:#}  inspector"))?;
    }
    if !options.host.is_loopback() {
        out.line("  Other machines can reach it: --host is no loopback address.")?;
    }
    out.line(format_args!("  {DIM}Ctrl-C ends.{DIM:#}"))?;
    out.flush()?;
    Ok(())
}
