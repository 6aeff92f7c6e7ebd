//! `wsgi-lambda doctor`: reads an application and its template, and says what will go wrong.
//!
//! A template or Terraform files become one [`model`]. Each of `checks` states its rule once, over that model. What cannot
//! be known before the deployment is unknown, and an unknown value is no finding.
//!
//! The evaluation of Terraform's expressions and CloudFormation's functions (`hcl`, `intrinsics`) is frozen: it knows
//! what the checks need, and no function is added to it. SAM and Terraform evaluate their languages themselves. An unknown
//! value can cost a finding; no check takes it for a mistake.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::ProgressBar;

use crate::cli::failure::Failure;
use crate::cli::installed::{own_venv, runtime};
use crate::cli::out::Out;
use crate::cli::shared::pair;
use crate::emulator::BOOTSTRAP_VARIABLE;

mod adapters;
mod applications;
mod checks;
mod cloudformation;
mod contents;
mod find;
mod finding;
mod hcl;
mod intrinsics;
mod local;
mod model;
mod node;
mod openapi;
mod project;
mod requirements;
mod run;
mod show;
mod terraform;
mod triggers;
mod usage;
mod wsgi;
mod yaml;

pub(in crate::cli) use applications::applications;
use contents::Contents;
use find::{Found, Unread};
use finding::{Findings, Severity};
use model::{Code, Deployment, Function, Variables};
use node::{Field, Place};
use project::Project;
use run::Runner;
use show::Subject;

/// Say what will go wrong with a deployment, and how to fix it
///
/// Reads a SAM or CloudFormation template (also those that `cdk synth` and `serverless package` write) or Terraform files,
/// and the application that they package, and looks for what is known to go wrong on Lambda. Each handler is started once with the real runtime, on this machine and with only the
/// function's variables, to see whether it imports. Nothing is deployed, and no account is used. A value that only the
/// deployment knows is never a finding.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Doctor {
    /// The folder with a template, *.tf files, cdk.out or .serverless; else the folder above it is searched
    #[arg(value_name = "APP_DIR", default_value = ".")]
    folder: PathBuf,
    /// A SAM or CloudFormation template, YAML or JSON; may be repeated
    #[arg(long, value_name = "FILE")]
    template: Vec<PathBuf>,
    /// A folder of Terraform files, the root module; may be repeated
    #[arg(long, value_name = "DIR")]
    terraform: Vec<PathBuf>,
    /// Check only an application in APP_DIR, without a template
    #[arg(long, value_name = "MODULE:ATTR", alias = "handler", conflicts_with_all = ["template", "terraform"])]
    app: Option<String>,
    /// The value of a template's parameter or of a Terraform variable; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = |text: &str| pair(text, "NAME=VALUE"))]
    parameter: Vec<(String, String)>,
    /// A variable that only the deployment knows, to start the application with; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = |text: &str| pair(text, "NAME=VALUE"))]
    env: Vec<(String, String)>,
    /// A virtual environment whose packages the application uses [default: the one that this program is installed in]
    #[arg(long, env = "VIRTUAL_ENV", hide_env_values = true)]
    venv: Option<PathBuf>,
    /// Do not start the applications
    #[arg(long)]
    no_run: bool,
    /// Leave out a check, by the name that --list shows; several with commas, or repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(checks::CHECKS.iter().map(|check| check.id)))]
    ignore: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Print every check with its explanation, and end
    #[arg(long)]
    list: bool,
    /// The runtime [default: `bootstrap` next to this program, or the one that pip has installed with it]
    #[arg(long, value_name = "PATH", env = BOOTSTRAP_VARIABLE, hide_env_values = true)]
    bootstrap: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  The template here, and the functions in it:
    wsgi-lambda doctor
  Named files, and what a parameter will be:
    wsgi-lambda doctor --template deploy/template.yaml --parameter Stage=prod
    wsgi-lambda doctor --terraform infra
  An application without a template:
    wsgi-lambda doctor src --app mysite.wsgi:application
  In continuous integration, without two checks:
    wsgi-lambda doctor --json --ignore timeout-default --ignore package-pyc

Exit status:
  0  no errors; there may be warnings
  1  an error was found, or a file could not be read as YAML or HCL
  2  wrong usage, also nothing to check: no template, no application, no function on wsgi-lambda";

/// What is checked, by name, and the folders that it lies in.
struct Subjects {
    projects: Vec<(String, Project)>,
    folders: Vec<PathBuf>,
    unread: Vec<Unread>,
}

impl Doctor {
    /// Checks. Returns `false` if there is an error.
    pub(super) fn run(&self, out: &mut Out) -> Result<bool, Failure> {
        if self.list {
            show::list(out)?;
            return Ok(true);
        }
        usage::folder(&self.folder)?;
        self.terraform.iter().try_for_each(|folder| usage::terraform(folder))?;
        self.app.iter().try_for_each(|app| usage::app(app, &self.folder))?;
        let runner = self.runner()?;
        let mut findings = Findings::default();
        let subjects = self.subjects()?;
        checks::files(&subjects.folders, &mut findings);
        checks::unread(subjects.unread, &mut findings);
        let mut subject = Subject { names: Vec::new(), functions: 0, python: None };
        for (name, project) in subjects.projects {
            checks::run(&project, &mut findings);
            for function in project.functions() {
                subject.functions += 1;
                if self.start(&project, function, runner.as_ref(), &mut findings)? {
                    subject.python = runner.as_ref().ok().and_then(|runner| runner.minor);
                } else {
                    checks::read(&project, function, &mut findings);
                }
            }
            subject.names.push(name);
        }
        findings.list.retain(|finding| !self.ignore.iter().any(|id| id == finding.check.id));
        findings.sort();
        if self.json {
            show::as_json(&findings, &subject, out)?;
        } else {
            show::findings(&findings, &subject, out)?;
        }
        Ok(findings.count(Severity::Error) == 0)
    }

    /// What starts applications, or the reason why none can be started.
    fn runner(&self) -> Result<Result<Runner, String>, Failure> {
        if self.no_run {
            return Ok(Err(NO_RUN.to_owned()));
        }
        let set = |path: &&PathBuf| !path.as_os_str().is_empty();
        let venv = match self.venv.as_ref().filter(set) {
            Some(venv) => Some(venv.canonicalize().map_err(|error| {
                Failure::Usage(format!("no virtual environment {}: {error}; correct --venv", venv.display()))
            })?),
            None => own_venv(self.bootstrap.as_deref()),
        };
        let found = match runtime(self.bootstrap.as_ref().filter(set).map(PathBuf::as_path), venv.as_deref()) {
            Ok(found) => found,
            Err(error) if self.bootstrap.is_some() => return Err(Failure::Usage(error.to_string())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok(Ok(Runner::new(found.bootstrap, found.venv.or(venv), self.env.clone())?))
    }

    /// What the options name, else what is found, else the application alone.
    fn subjects(&self) -> Result<Subjects, Failure> {
        let is_named = self.app.is_some() || !self.template.is_empty() || !self.terraform.is_empty();
        let mut found = if is_named {
            Found { templates: self.template.clone(), terraform: self.terraform.clone(), unread: Vec::new() }
        } else {
            find::found(&self.folder)
        };
        self.terraform.iter().for_each(|folder| find::terraform_json(folder, &mut found));
        let mut projects = Vec::new();
        for path in &found.templates {
            let deployment = cloudformation::read(path, &self.parameter)?;
            projects.push((path.display().to_string(), Project::new(deployment)));
        }
        for folder in &found.terraform {
            let deployment = terraform::read(folder, &self.parameter)?;
            projects.push((format!("{}/*.tf", folder.display()), Project::new(deployment)));
        }
        usage::parameters(&self.parameter, &projects)?;
        if projects.is_empty() {
            projects.push(self.alone(&found.unread)?);
        }
        if projects.iter().all(|(_, project)| !project.has_something_to_check()) {
            return Err(Failure::Usage(nothing(&projects, &found.unread)));
        }
        // A stack without such a function is somebody else's.
        if projects.len() > 1 {
            projects.retain(|(_, project)| project.has_something_to_check());
        }
        let parents = found.templates.iter().filter_map(|path| path.parent()).map(|path| match path {
            path if path.as_os_str().is_empty() => PathBuf::from("."),
            path => path.to_owned(),
        });
        let mut folders: Vec<PathBuf> = parents.chain(found.terraform.iter().cloned()).collect();
        folders.extend((!is_named || self.app.is_some()).then(|| self.folder.clone()));
        Ok(Subjects { projects, folders, unread: found.unread })
    }

    /// An application without a template.
    fn alone(&self, unread: &[Unread]) -> Result<(String, Project), Failure> {
        let folder = self.folder.clone();
        let contents = Contents::open(&folder)
            .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", folder.display())))?;
        let app = self.app.clone().or_else(|| wsgi::guess(&contents)).ok_or_else(|| {
            let named = checks::named_application(&folder).map(|(path, app)| {
                format!(". {} names the application: --app {app} (docs/migrate.md says what changes)", path.display())
            });
            let hints = hints(unread) + &named.unwrap_or_default();
            Failure::Usage(format!(
                "no template, no Terraform files and no application in {}: name one with --template, --terraform or --app \
                 (looked for {} there and in the folder above, and for an application in app.py, application.py, wsgi.py, \
                 main.py and */wsgi.py){hints}",
                folder.display(),
                find::LOOKED_FOR
            ))
        })?;
        let name = wsgi::name(&app);
        let file = name.and_then(|name| wsgi::module_file(&contents, &name));
        let file = file.map_or_else(|| folder.clone(), |file| find::tidy(&folder.join(file)));
        let at = Place { file: file.into(), line: 1 };
        let function = Function {
            name: String::new(),
            at: at.clone(),
            image: false,
            runtime: Field::Unknown(at.clone()),
            handler: Field::Known(app.clone(), at.clone()),
            code: Code { path: Field::Known(folder, at.clone()), built: None, made: false },
            timeout: Field::Unknown(at.clone()),
            architecture: Field::Unknown(at),
            // The variables are not known, so none counts as missing.
            variables: Variables { open: true, ..Variables::default() },
            layers: Vec::new(),
            more_layers: false,
            snap_start: Field::Absent,
            in_vpc: false,
            published: None,
            triggers: Vec::new(),
            runtime_config: Field::Absent,
            managed_instances: false,
            dockerfile: None,
        };
        Ok((app, Project::alone(Deployment { functions: vec![function], ..Deployment::default() })))
    }

    /// Starts a function's application, and reports the result. Returns `false` if it could not be started here: then
    /// there is a note that says why, or a finding about the handler.
    fn start(
        &self,
        project: &Project,
        function: &Function,
        runner: Result<&Runner, &String>,
        findings: &mut Findings,
    ) -> Result<bool, Failure> {
        let runner = match runner {
            Ok(runner) => runner,
            Err(reason) => {
                let what = format!("The application was not started: {reason}.");
                if self.no_run {
                    checks::not_run(function, what, "Run doctor without --no-run.", findings);
                } else {
                    checks::no_runtime(function, what, findings);
                }
                return Ok(false);
            }
        };
        if checks::has_no_application(project, function) {
            return Ok(false);
        }
        if let Some(what) = checks::unfit(runner).filter(|_| !function.image) {
            checks::no_runtime(function, what, findings);
            return Ok(false);
        }
        if let Some((what, fix)) = checks::obstacle(project, function, runner) {
            checks::not_run(function, what, fix, findings);
            return Ok(false);
        }
        let Some(mut run) = runner.prepare(project, function, &[])? else { return Ok(false) };
        let name = function.handler.value().map_or("the application", String::as_str);
        let bar = ProgressBar::new_spinner().with_message(format!("starting {name}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        let is_judged = match run.start() {
            Ok(()) => {
                checks::judge_django(project, function, runner, &mut run, findings);
                true
            }
            Err(error) => {
                let is_judged = checks::explain_start(project, function, runner, &run, &error, findings);
                if is_judged {
                    // Else the caller reads them.
                    checks::read_django(project, function, findings);
                }
                is_judged
            }
        };
        run.stop();
        bar.finish_and_clear();
        Ok(is_judged)
    }
}

const NO_RUN: &str = "--no-run was given";

/// Why there is nothing to check, although there are files.
fn nothing(projects: &[(String, Project)], unread: &[Unread]) -> String {
    let names: Vec<_> = projects.iter().map(|(name, _)| name.as_str()).collect();
    let others: Vec<_> = projects.iter().flat_map(|(_, project)| project.others()).collect();
    let others = match others.as_slice() {
        [] => "It has no function at all".to_owned(),
        names => format!("Functions of another kind: {}", names.join(", ")),
    };
    let hints = hints(unread);
    format!(
        "{}: no function on wsgi-lambda. Such a function has the layer, AWS_LAMBDA_EXEC_WRAPPER=/opt/bootstrap, a \
         WSGI_LAMBDA_ variable, or a WSGI application as its handler. {others}. Terraform's modules from elsewhere are read \
         after `terraform init`. To check only an application, name it with --app{hints}",
        names.join(", ")
    )
}

/// What is known of files that are not read, as the end of a message.
fn hints(unread: &[Unread]) -> String {
    let missing = unread.iter().filter(|file| file.is_missing);
    missing.flat_map(|file| [". ", &file.what, " ", &file.fix]).collect()
}
