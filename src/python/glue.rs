//! Our own Python code, for what is simpler in Python than through pyo3. The file `glue/name.py` or
//! `glue/imports/name.py` becomes the module `_wsgi_lambda_name`. To keep cold starts short these modules import little:
//! `logging`, which the managed runtimes import too, and `traceback` when there is an error. Modules that few starts need
//! are deferred.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::bytecode::for_this_python;
use super::errors::{describe_without_glue, not_started};
use super::{expressions, ffi};
use crate::error::Result;

/// A file of `glue/`.
struct File {
    name: &'static str,
    /// Bytecode from `compile_glue.py`; the source, if `build.rs` had no Python that it could run.
    code: &'static [u8],
}

/// Makes a [`File`] of each name.
macro_rules! files {
    ($($name:literal)*) => {
        [$(File {
            name: $name,
            code: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bin")),
        }),*]
    };
}

/// The modules that every start needs, each after those that it imports.
static NEEDED: [File; 12] = files! {
    "state" "expressions" "streams" "errors" "logs" "files" "context" "lifecycle" "imports" "start" "deadline"
    "entry_points"
};

/// The modules that are made when they are first used.
static DEFERRED: [File; 9] = files! {
    "client_context" "commands" "development_server" "init_profile" "module_use" "results" "snapshot" "websocket"
    "workers"
};

const OTHER_BYTECODE: &str = "this bootstrap was built with a Python that has other bytecode, as its pre-releases \
    have: build it with the Python that it is to embed";

/// Returns the glue's `entry_points`, the module with all functions that Rust calls. The first call makes the modules.
pub(super) fn glue(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static GLUE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    GLUE.get_or_try_init(py, || load(py).map(Bound::unbind)).map(|entry_points| entry_points.bind(py).clone())
}

/// The same, with the runtime's own error.
///
/// # Errors
/// `Interpreter`, or `App` where Python has no memory.
pub(super) fn loaded_glue(py: Python<'_>) -> Result<Bound<'_, PyModule>> {
    glue(py).map_err(|error| {
        if error.is_instance_of::<PyImportError>(py) {
            not_started(&error.value(py).to_string())
        } else {
            describe_without_glue(py, &error)
        }
    })
}

/// Makes the modules that every start needs; returns the last.
fn load(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let maker = Maker::new(py)?;
    let mut last = None;
    for file in &NEEDED {
        let module = maker.make(file)?;
        if file.name == "state" {
            module.setattr("deferred", wrap_pyfunction!(deferred, py)?)?;
            module.setattr("is_forked", wrap_pyfunction!(is_forked, py)?)?;
            module.setattr("guard_fork", wrap_pyfunction!(guard_fork, py)?)?;
            module.setattr("file_identity", wrap_pyfunction!(file_identity, py)?)?;
            if expressions::has_table(py)? {
                module.setattr("find_pattern", wrap_pyfunction!(expressions::find_pattern, py)?)?;
            }
        }
        last = Some(module);
    }
    last.ok_or_else(|| PyImportError::new_err("there is no glue"))
}

#[pyfunction]
fn guard_fork() {
    ffi::guard_fork();
}

#[pyfunction]
fn file_identity(descriptor: i32) -> Option<(u64, u64)> {
    ffi::file_identity(descriptor)
}

#[pyfunction]
fn is_forked() -> bool {
    ffi::is_forked()
}

/// Returns a deferred module of the glue; makes it at the first call.
#[pyfunction]
pub(super) fn deferred<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    let maker = Maker::new(py)?;
    if let Some(made) = maker.made(name)? {
        return Ok(made);
    }
    let file = DEFERRED.iter().find(|file| file.name == name);
    maker.make(file.ok_or_else(|| PyImportError::new_err(format!("there is no glue/{name}.py")))?)
}

/// Makes modules of the glue.
struct Maker<'py> {
    builtins: Bound<'py, PyModule>,
    modules: Bound<'py, PyAny>,
}

impl<'py> Maker<'py> {
    fn new(py: Python<'py>) -> PyResult<Self> {
        let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
        Ok(Self { builtins: py.import("builtins")?, modules })
    }

    /// The module, if it was made already.
    fn made(&self, name: &str) -> PyResult<Option<Bound<'py, PyModule>>> {
        let module = self.modules.call_method1("get", (module_name(name),))?;
        Ok(module.extract().ok())
    }

    /// Makes a module from its bytecode, or from its source where there is no bytecode.
    fn make(&self, File { name, code }: &File) -> PyResult<Bound<'py, PyModule>> {
        let py = self.builtins.py();
        let code = match for_this_python(py, code)? {
            Some(code) => ffi::unmarshal(py, code)?,
            None if code.starts_with(b"\"\"\"") => {
                self.builtins.call_method1("compile", (*code, format!("wsgi_lambda/{name}.py"), "exec"))?
            }
            None => return Err(PyImportError::new_err(OTHER_BYTECODE)),
        };
        let module = PyModule::new(py, &module_name(name))?;
        self.builtins.call_method1(intern!(py, "exec"), (code, module.dict()))?;
        // Only a module that ran to its end enters sys.modules: one that failed is made again at the next call. If two
        // threads make it, the module of the first stays.
        let known = self.modules.call_method1("setdefault", (module.name()?, &module))?;
        Ok(known.cast_into()?)
    }
}

fn module_name(name: &str) -> String {
    format!("_wsgi_lambda_{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_glue_is_for_this_python_and_complete() {
        Python::initialize();
        Python::attach(|py| {
            for file in NEEDED.iter().chain(&DEFERRED) {
                let code = for_this_python(py, file.code).unwrap();
                assert!(code.is_some(), "{}: was build.rs given a Python that it can run?", file.name);
            }
        });
    }

    #[test]
    fn a_source_is_compiled_and_other_bytecode_is_refused() {
        Python::initialize();
        Python::attach(|py| {
            let maker = Maker::new(py).unwrap();
            let made = maker.make(&File { name: "source", code: b"\"\"\"One.\"\"\"\nx = '\xc3\xa9'" }).unwrap();
            assert_eq!(made.getattr("x").unwrap().extract::<String>().unwrap(), "é");
            let error = maker.make(&File { name: "other", code: b"\x01\x02\r\nx" }).unwrap_err();
            assert!(error.to_string().contains("build it with the Python"), "{error}");
        });
    }

    #[test]
    fn a_deferred_module_is_made_once() {
        Python::initialize();
        Python::attach(|py| {
            glue(py).unwrap();
            let maker = Maker::new(py).unwrap();
            for name in ["commands", "development_server", "init_profile", "results", "snapshot", "workers"] {
                assert!(maker.made(name).unwrap().is_none(), "{name} is made at every start");
            }
            let made = deferred(py, "snapshot").unwrap();
            assert!(made.is(deferred(py, "snapshot").unwrap()));
            assert!(deferred(py, "nothing").is_err());
        });
    }

    #[test]
    fn a_module_that_failed_is_made_again() {
        Python::initialize();
        Python::attach(|py| {
            glue(py).unwrap();
            let modules = py.import("sys").unwrap().getattr("modules").unwrap();
            let logs = modules.get_item("_wsgi_lambda_logs").unwrap(); // no other test here imports it from now on
            modules.set_item("_wsgi_lambda_logs", py.None()).unwrap();
            assert!(deferred(py, "client_context").is_err());
            modules.set_item("_wsgi_lambda_logs", logs).unwrap();
            assert!(deferred(py, "client_context").unwrap().hasattr("client_context").unwrap());
        });
    }
}
