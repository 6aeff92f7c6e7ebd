//! The checks. Each states its rule once, over the model.

use super::finding::{Check, Findings};
use super::model::Function;
use super::project::Project;

mod django;
mod environment;
mod front_ends;
mod handler;
mod layers;
mod package;
mod paths;
mod pyc;
mod runtimes;
mod streaming;
mod timeouts;
mod words;

pub(super) use django::judge as judge_django;
pub(super) use handler::{explain as explain_start, not_run, obstacle};

/// What the files say of an application that could not be started here.
pub(super) fn read(project: &Project, function: &Function, findings: &mut Findings) {
    handler::read(project, function, findings);
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
    &runtimes::OLD_GLIBC,
    &runtimes::WRAPPER_MISSING,
    &runtimes::WRAPPER_IGNORED,
    &runtimes::WRAPPER_PATH,
    &runtimes::SNAPSTART_RUNTIME,
    &runtimes::SNAPSTART_UNPUBLISHED,
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
    &handler::UNCHECKED,
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
    runtimes::run(project, findings);
    layers::run(project, findings);
    environment::run(project, findings);
    paths::run(project, findings);
    handler::run(project, findings);
    package::run(project, findings);
}
