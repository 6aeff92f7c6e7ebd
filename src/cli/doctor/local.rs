//! A function's variables on this machine.

use std::path::Path;

use super::model::Function;
use super::project::EXEC_WRAPPER;
use crate::config;

/// The function's variables that only make sense on Lambda's machines.
const LEFT_OUT: &[&str] = &["PATH", "LD_LIBRARY_PATH", "PYTHONHOME", EXEC_WRAPPER, "_HANDLER"];

/// The names of the variables whose values only the deployment knows.
pub(super) fn unknown(function: &Function) -> Vec<String> {
    let unknown = function.variables.entries.iter().filter(|variable| variable.value.is_none());
    unknown.map(|variable| variable.name.clone()).collect()
}

/// The variables whose values are known, with this machine's folders for those of the code and of the layers.
pub(super) fn variables(function: &Function, root: &Path, layer_dir: &Path) -> Vec<(String, String)> {
    let here = |value: &str| {
        let value = value.replace(config::TASK_ROOT, &root.display().to_string());
        value.replace("/opt/", &format!("{}/", layer_dir.display()))
    };
    let entries = function.variables.entries.iter().filter(|variable| {
        let name = variable.name.as_str();
        let is_local = [config::VENV.name, config::LAYER_DIR.name].contains(&name);
        !is_local && !LEFT_OUT.contains(&name) && !name.starts_with("AWS_LAMBDA_")
    });
    entries.filter_map(|variable| Some((variable.name.clone(), here(variable.value.as_deref()?)))).collect()
}
