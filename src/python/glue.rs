//! Our own Python code: what is better said in Python than through pyo3. Its modules import each other as
//! `_wsgi_lambda_` and the file's name, and import little that costs time at a cold start: `logging`, which the managed
//! runtimes have imported too, and `traceback` when there is something to trace. What few starts need is deferred.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::bytecode::for_this_python;
use super::{expressions, ffi};

/// A file of `glue/`.
struct File {
    name: &'static str,
    /// What `compile_glue.py` has made of it; its source, if `build.rs` had no Python that it could run.
    code: &'static [u8],
}

/// The files of these names.
macro_rules! files {
    ($($name:literal)*) => {
        [$(File {
            name: $name,
            code: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".bin")),
        }),*]
    };
}

/// What every start needs, each after those that it imports.
static NEEDED: [File; 12] = files! {
    "state" "expressions" "streams" "errors" "logs" "files" "context" "lifecycle" "imports" "start" "deadline" "index"
};

/// What is made when it is first asked for, also each after those that it imports.
static DEFERRED: [File; 6] = files! { "callers" "development_server" "snapshot" "workers" "profile_use" "profile" };

const OTHER_BYTECODE: &str = "this bootstrap was built with a Python that has other bytecode, as its pre-releases \
    have: build it with the Python that it is to embed";

/// The module that has all that is called from here; the modules are made at the first call.
pub(super) fn glue(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static GLUE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    GLUE.get_or_try_init(py, || load(py).map(Bound::unbind)).map(|index| index.bind(py).clone())
}

/// Makes `_wsgi_lambda_state` and so on, and returns the last: `_wsgi_lambda_index`.
fn load(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let maker = Maker::new(py)?;
    let mut last = None;
    for file in &NEEDED {
        let module = maker.make(file)?;
        if file.name == "state" {
            module.setattr("load", wrap_pyfunction!(deferred, py)?)?;
            module.setattr("is_forked", wrap_pyfunction!(is_forked, py)?)?;
            module.setattr("guard_fork", wrap_pyfunction!(guard_fork, py)?)?;
            if expressions::are_there(py)? {
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
fn is_forked() -> bool {
    ffi::is_forked()
}

/// Returns a module that is made when it is first asked for.
#[pyfunction]
pub(super) fn deferred<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    let maker = Maker::new(py)?;
    if let Some(made) = maker.made(name)? {
        return Ok(made);
    }
    let file = DEFERRED.iter().find(|file| file.name == name);
    maker.make(file.ok_or_else(|| PyImportError::new_err(format!("there is no glue/{name}.py")))?)
}

/// Makes modules of ours.
struct Maker<'py> {
    builtins: Bound<'py, PyModule>,
    modules: Bound<'py, PyAny>,
}

impl<'py> Maker<'py> {
    fn new(py: Python<'py>) -> PyResult<Self> {
        let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
        Ok(Self { builtins: py.import("builtins")?, modules })
    }

    fn made(&self, name: &str) -> PyResult<Option<Bound<'py, PyModule>>> {
        let module = self.modules.call_method1("get", (module_name(name),))?;
        Ok(module.extract().ok())
    }

    /// Makes a module from its code, or without that from its source.
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
        // Known when it is whole: what failed is made again, and of two threads that make it the first one's stays.
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
    fn sources_do_too_and_other_bytecode_is_named() {
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
    fn what_is_deferred_is_made_once() {
        Python::initialize();
        Python::attach(|py| {
            glue(py).unwrap();
            let maker = Maker::new(py).unwrap();
            for name in ["development_server", "snapshot", "workers", "profile"] {
                assert!(maker.made(name).unwrap().is_none(), "{name} is made at every start");
            }
            let made = deferred(py, "snapshot").unwrap();
            assert!(made.is(deferred(py, "snapshot").unwrap()));
            assert!(deferred(py, "nothing").is_err());
        });
    }

    #[test]
    fn what_failed_is_made_again() {
        Python::initialize();
        Python::attach(|py| {
            glue(py).unwrap();
            let modules = py.import("sys").unwrap().getattr("modules").unwrap();
            let context = modules.get_item("_wsgi_lambda_context").unwrap(); // which nothing else imports from here on
            modules.set_item("_wsgi_lambda_context", py.None()).unwrap();
            assert!(deferred(py, "callers").is_err());
            modules.set_item("_wsgi_lambda_context", context).unwrap();
            assert!(deferred(py, "callers").unwrap().hasattr("client").unwrap());
        });
    }
}
