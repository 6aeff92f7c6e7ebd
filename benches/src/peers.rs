//! Who is measured, and how each is started. Every peer runs as its own documents recommend.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::api::free_port;
use crate::events::Event;
use crate::process::{Launch, Program};
use crate::setup::Place;

/// An application; the same code, whoever serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum App {
    /// WSGI without any import (cold starts).
    Bare,
    /// WSGI without a framework.
    Plain,
    /// Flask.
    Flask,
    /// Django.
    Django,
    /// Flask with `SQLAlchemy` and Jinja.
    ShopFlask,
    /// Django with its admin, sessions, a database and Django REST framework.
    ShopDjango,
}

impl App {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Plain => "plain",
            Self::Flask => "flask",
            Self::Django => "django",
            Self::ShopFlask => "shop-flask",
            Self::ShopDjango => "shop-django",
        }
    }

    /// The module whose `application` it is.
    pub(crate) fn module(self) -> &'static str {
        match self {
            Self::Bare => "bare_app",
            Self::Plain => "plain_app",
            Self::Flask => "flask_app",
            Self::Django => "django_app.wsgi",
            Self::ShopFlask => "shop_flask",
            Self::ShopDjango => "shop_django.wsgi",
        }
    }
}

/// A way to serve an application on Lambda, or a mark to read the others by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// wsgi-lambda
    Ours,
    /// awslambdaric with apig-wsgi
    Apig,
    /// awslambdaric with serverless-wsgi
    Serverless,
    /// awslambdaric with awsgi2
    Awsgi2,
    /// awslambdaric with Mangum and a2wsgi
    Mangum,
    /// Lambda Web Adapter with gunicorn
    LwaGunicorn,
    /// Lambda Web Adapter with waitress
    LwaWaitress,
    /// a Rust function on `lambda_runtime`, no Python, as `cargo lambda new` makes one
    Floor,
    /// the same on one thread, which is lower for one request at a time
    FloorOne,
    /// Python and the application: what starts, memory and small requests need without any server
    Alone,
    /// a raw socket that answers at once: the harness's own share
    Null,
}

impl Server {
    /// The name on the command line and in the JSON file.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Ours => "wsgi-lambda",
            Self::Apig => "RIC + apig-wsgi",
            Self::Serverless => "RIC + serverless-wsgi",
            Self::Awsgi2 => "RIC + awsgi2",
            Self::Mangum => "RIC + Mangum + a2wsgi",
            Self::LwaGunicorn => "Web Adapter + gunicorn",
            Self::LwaWaitress => "Web Adapter + waitress",
            Self::Floor => "Rust floor, no Python",
            Self::FloorOne => "Rust floor, one thread",
            Self::Alone => "Python alone",
            Self::Null => "harness itself",
        }
    }

    /// Whether it imports the application.
    pub(crate) fn imports(self) -> bool {
        !matches!(self, Self::Floor | Self::FloorOne | Self::Null)
    }

    /// Whether it answers an event with what it asks for, or with something as long.
    pub(crate) fn answers(self, event: &Event) -> bool {
        match self {
            Self::Alone => event.name.starts_with("get"),
            Self::Floor | Self::FloorOne => !event.name.starts_with("products-"),
            _ => true,
        }
    }

    /// Whether it can send a response as the application yields it.
    pub(crate) fn streams(self) -> bool {
        self.streaming().is_some()
    }

    /// The variable that makes it stream.
    pub(crate) fn streaming(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ours => Some(("WSGI_LAMBDA_RESPONSE_MODE", "stream")),
            Self::LwaGunicorn | Self::LwaWaitress => Some(("AWS_LWA_INVOKE_MODE", "response_stream")),
            _ => None,
        }
    }

    /// How its processes are started for this application in this folder.
    pub(crate) fn launch(self, place: &Place, app: App, task_root: &Path) -> Result<Launch> {
        let log = place.cache.join("logs").join(format!("{}-{}.log", self.name(), app.name()));
        let mut launch = Launch {
            programs: Vec::new(),
            task_root: task_root.to_owned(),
            slice: place.slice.clone(),
            env: vec![
                ("BENCH_APP".to_owned(), app.module().to_owned()),
                ("BENCH_DATABASE".to_owned(), place.database.display().to_string()),
                ("AWS_EXECUTION_ENV".to_owned(), format!("AWS_Lambda_python{}", place.version)),
            ],
            log,
        };
        match self {
            Self::Ours => {
                launch.programs.push(program(&place.bootstrap, &[]));
                launch.env.push(("_HANDLER".to_owned(), format!("{}.application", app.module())));
            }
            Self::Apig | Self::Serverless | Self::Awsgi2 | Self::Mangum => {
                let handler = format!("peer_{}.handler", self.name());
                launch.programs.push(program(&place.python, &["-m", "awslambdaric", &handler]));
                launch.env.push(("_HANDLER".to_owned(), handler));
            }
            Self::LwaGunicorn | Self::LwaWaitress => self.web_server(place, app, &mut launch)?,
            Self::Floor => launch.programs.push(program(&beside("bench-floor")?, &[])),
            Self::FloorOne => launch.programs.push(program(&beside("bench-floor")?, &["one-thread"])),
            Self::Alone => launch.programs.push(program(&place.python, &["-m", "alone"])),
            Self::Null => launch.programs.push(program(&beside("bench-null")?, &[])),
        }
        Ok(launch)
    }

    /// The adapter is an external extension, which Lambda starts beside the web server.
    fn web_server(self, place: &Place, app: App, launch: &mut Launch) -> Result<()> {
        let Some(adapter) = &place.web_adapter else { bail!("the Web Adapter is not installed") };
        let port = free_port()?.to_string();
        let (listen, application) = (format!("127.0.0.1:{port}"), format!("{}:application", app.module()));
        let server = if self == Self::LwaGunicorn {
            program(&place.python, &["-m", "gunicorn", "--bind", &listen, "--workers", "1", &application])
        } else {
            program(&place.python, &["-m", "waitress", &format!("--listen={listen}"), &application])
        };
        launch.programs.extend([program(adapter, &[]), server]);
        launch.env.extend([("PORT".to_owned(), port), ("_HANDLER".to_owned(), "run.sh".to_owned())]);
        Ok(())
    }
}

fn program(path: &Path, arguments: &[&str]) -> Program {
    Program { path: path.to_owned(), arguments: arguments.iter().map(|&argument| argument.to_owned()).collect() }
}

/// A program of this package.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.is_file() {
        bail!("{} is missing: build all of `benches/`", path.display());
    }
    Ok(path)
}
