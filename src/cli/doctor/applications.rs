//! The applications that the templates of a folder deploy, for `serve`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cloudformation;
use super::find;
use super::local;
use super::project::Project;
use crate::cli::failure::Failure;
use crate::config;

/// An application as a template has it.
#[derive(Debug)]
pub(in crate::cli) struct Deployed {
    pub(in crate::cli) template: PathBuf,
    /// The function's name in it.
    pub(in crate::cli) function: String,
    pub(in crate::cli) handler: String,
    /// The folder of the code.
    pub(in crate::cli) dir: PathBuf,
    pub(in crate::cli) timeout: Option<Duration>,
    /// Those whose values are known before the deployment.
    pub(in crate::cli) variables: Vec<(String, String)>,
    /// The names of the others.
    pub(in crate::cli) unknown: Vec<String>,
}

/// The functions on wsgi-lambda in the templates of a folder, whose code is a folder on this machine.
pub(in crate::cli) fn applications(folder: &Path) -> Result<Vec<Deployed>, Failure> {
    let mut found = Vec::new();
    for template in find::found(folder).templates {
        let project = Project::new(cloudformation::read(&template, &[])?);
        let functions = project.functions().filter_map(|function| {
            let handler = function.handler.value()?.clone();
            let dir = function.code.path.value().filter(|path| path.is_dir())?.clone();
            let root = dir.canonicalize().ok()?;
            Some(Deployed {
                template: template.clone(),
                function: function.name.clone(),
                handler,
                timeout: function.timeout.value().map(|seconds| Duration::from_secs(*seconds)),
                variables: local::variables(function, &root, Path::new(config::LAYER_DIR.default)),
                unknown: local::unknown(function),
                dir,
            })
        });
        found.extend(functions);
    }
    Ok(found)
}
