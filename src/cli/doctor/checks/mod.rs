//! The checks. Each states its rule once, over the model.

use super::find::Unread;
use super::finding::{Check, Findings, Severity};
use super::model::Function;
use super::project::Project;
use crate::config::APP;

mod django;
mod environment;
mod factories;
mod faults;
mod front_ends;
mod handler;
mod kinds;
mod layers;
mod package;
mod paths;
mod peer_files;
mod peers;
mod pyc;
mod runtimes;
mod streaming;
mod timeouts;
mod triggers;
mod unchecked;
mod words;

pub(super) use django::{judge as judge_django, read as read_django};
pub(super) use faults::unfit;
pub(super) use handler::{explain as explain_start, obstacle};
pub(super) use peer_files::{named_application, run as files};
pub(super) use unchecked::{no_runtime, not_run};

pub(super) const UNREAD: Check = Check {
    id: "template-unread",
    severity: Severity::Note,
    title: "a serverless.yml, a *.tf.json or a CDK program, which doctor does not read itself",
    why: "Only their tools can evaluate them. Doctor reads *.tf and what those tools make: CloudFormation templates.",
};

/// Says which files were not read, and what to do about it.
pub(super) fn unread(files: Vec<Unread>, findings: &mut Findings) {
    for file in files {
        findings.add(&UNREAD, "", Some(&file.at), file.what, file.fix);
    }
}

/// Whether the handler certainly is no WSGI application, which is another finding.
pub(super) fn has_no_application(project: &Project, function: &Function) -> bool {
    peers::event_handler(project, function).is_some()
        || !function.image
            && function.handler.is_absent()
            && function.variables.value_or(APP.name, "").as_deref() == Some("")
}

/// What the files say of an application that could not be started here.
pub(super) fn read(project: &Project, function: &Function, findings: &mut Findings) {
    if peers::event_handler(project, function).is_none() {
        handler::read(project, function, findings);
    }
    django::read(project, function, findings);
}

/// Every check, in the order of `--list`.
pub(super) const CHECKS: &[&Check] = &[
    &front_ends::REST_BINARY_TYPES,
    &front_ends::ALB_MULTI_VALUE,
    &streaming::FRONT_END_BUFFERS,
    &streaming::FUNCTION_BUFFERS,
    &streaming::REST_STREAM_URI,
    &streaming::IN_VPC,
    &timeouts::ABOVE_FRONT_END,
    &timeouts::DEFAULT,
    &timeouts::MARGIN,
    &timeouts::LIMIT,
    &triggers::NOT_HTTP,
    &runtimes::TOO_OLD,
    &runtimes::PREVIEW,
    &runtimes::WRAPPER_MISSING,
    &runtimes::WRAPPER_IGNORED,
    &runtimes::WRAPPER_PATH,
    &runtimes::SNAPSTART_RUNTIME,
    &runtimes::SNAPSTART_UNPUBLISHED,
    &runtimes::SNAPSTART_LABEL,
    &kinds::RUNTIME_CONFIG,
    &kinds::WEB_FUNCTION,
    &layers::RUNTIME_MISSING,
    &layers::PYTHON,
    &layers::ARCHITECTURE,
    &layers::COMPATIBILITY,
    &layers::COUNT,
    &layers::SHADOWED,
    &environment::UNKNOWN_SETTING,
    &environment::SETTING_VALUE,
    &environment::LOCAL_SETTING,
    &environment::RESERVED,
    &environment::NAME,
    &environment::SIZE,
    &paths::NOT_EXPANDED,
    &paths::PYTHONPATH,
    &paths::PYTHONHOME,
    &paths::LIBRARY_PATH,
    &handler::MISSING,
    &handler::IMPORT,
    &factories::FACTORY,
    &unchecked::UNCHECKED,
    &faults::CRASH,
    &peers::EVENT_HANDLER,
    &peers::VARIABLE,
    &peers::LAYER,
    &peer_files::FILE,
    &UNREAD,
    &package::PLATFORM,
    &package::ARCHITECTURE,
    &package::GLIBC,
    &package::PYTHON,
    &pyc::PYC,
    &package::SIZE,
    &django::ALLOWED_HOSTS,
    &django::DEBUG,
    &django::SQLITE,
];

/// The checks that start nothing.
pub(super) fn run(project: &Project, findings: &mut Findings) {
    front_ends::run(project, findings);
    streaming::run(project, findings);
    timeouts::run(project, findings);
    triggers::run(project, findings);
    runtimes::run(project, findings);
    kinds::run(project, findings);
    layers::run(project, findings);
    environment::run(project, findings);
    paths::run(project, findings);
    handler::run(project, findings);
    factories::run(project, findings);
    peers::run(project, findings);
    package::run(project, findings);
}
