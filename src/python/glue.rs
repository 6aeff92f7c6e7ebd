//! Our own Python code: what is better said in Python than through pyo3. Its modules import each other as
//! `_wsgi_lambda_` and the file's name, and import nothing that costs time at a cold start: `logging` is prepared when
//! the application imports it, `traceback` when there is something to trace, a profile is held back until it is asked for.

use pyo3::exceptions::PyImportError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

/// The files of `glue/` and their sources, each after those that it imports.
const MODULES: [(&str, &str); 16] = [
    ("state", include_str!("glue/state.py")),
    ("imports", include_str!("glue/imports.py")),
    ("patterns", include_str!("glue/patterns.py")),
    ("streams", include_str!("glue/streams.py")),
    ("errors", include_str!("glue/errors.py")),
    ("files", include_str!("glue/files.py")),
    ("context", include_str!("glue/context.py")),
    ("snapshot", include_str!("glue/snapshot.py")),
    ("folders", include_str!("glue/folders.py")),
    ("start", include_str!("glue/start.py")),
    ("lifecycle", include_str!("glue/lifecycle.py")),
    ("deadline", include_str!("glue/deadline.py")),
    ("workers", include_str!("glue/workers.py")),
    ("logs", include_str!("glue/logs.py")),
    ("deferred", include_str!("glue/deferred.py")),
    ("index", include_str!("glue/index.py")),
];

/// Files that are executed only when they are asked for, in the same order; `compile_glue.py` knows them too.
const HELD_BACK: [(&str, &str); 2] =
    [("profile_use", include_str!("glue/profile_use.py")), ("profile", include_str!("glue/profile.py"))];

/// What `compile_glue.py` has made: a magic number, code objects for the same files, and regular expressions.
static COMPILED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/glue.bin"));

/// The module that has all that is called from here; the modules are made at the first call.
pub(super) fn glue(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static GLUE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    GLUE.get_or_try_init(py, || load(py).map(Bound::unbind)).map(|index| index.bind(py).clone())
}

/// Makes `_wsgi_lambda_state` and so on, and gives the last: `_wsgi_lambda_index`.
fn load(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let (codes, patterns) = compiled(py)?;
    let maker = Maker::new(py)?;
    let mut last = None;
    for (name, source) in MODULES {
        let module = maker.make(name, source, codes.get_item(name)?)?;
        if name == "state" {
            module.setattr("patterns", &patterns)?;
        }
        last = Some(module);
    }
    last.ok_or_else(|| PyImportError::new_err("there is no glue"))
}

/// Makes the modules that are held back, and gives the last: `_wsgi_lambda_profile`.
pub(super) fn profile(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let (codes, _) = compiled(py)?;
    let loads = py.import("marshal")?.getattr("loads")?;
    let maker = Maker::new(py)?;
    let mut last = None;
    for (name, source) in HELD_BACK {
        let code = codes.get_item(name)?.map(|code| loads.call1((code,))).transpose()?;
        last = Some(maker.make(name, source, code)?);
    }
    last.ok_or_else(|| PyImportError::new_err("there is no profile"))
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

    /// Makes `_wsgi_lambda_` and the name from its code, or without that from its source.
    fn make(&self, name: &str, source: &str, code: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyModule>> {
        let py = self.builtins.py();
        let code = match code {
            Some(code) => code,
            None => self.builtins.call_method1("compile", (source, format!("wsgi_lambda/{name}.py"), "exec"))?,
        };
        let module = PyModule::new(py, &format!("_wsgi_lambda_{name}"))?;
        self.modules.set_item(module.name()?, &module)?;
        self.builtins.call_method1(intern!(py, "exec"), (code, module.dict()))?;
        Ok(module)
    }
}

/// The code objects by file, and the patterns; none when they were made by a Python with other byte code, as a
/// pre-release has.
fn compiled(py: Python<'_>) -> PyResult<(Bound<'_, PyDict>, Option<Bound<'_, PyBytes>>)> {
    let magic: Vec<u8> = py.import("_frozen_importlib_external")?.getattr("MAGIC_NUMBER")?.extract()?;
    match COMPILED.strip_prefix(magic.as_slice()) {
        Some(marshalled) => {
            let loaded = py.import("marshal")?.call_method1("loads", (PyBytes::new(py, marshalled),))?;
            Ok(loaded.extract()?)
        }
        None => Ok((PyDict::new(py), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_glue_is_for_this_python_and_complete() {
        Python::initialize();
        Python::attach(|py| {
            let (codes, patterns) = compiled(py).unwrap();
            for (name, _) in MODULES.iter().chain(&HELD_BACK) {
                assert!(codes.contains(name).unwrap(), "{name}: was build.rs given a Python that it can run?");
            }
            for (name, _) in HELD_BACK {
                let held = codes.get_item(name).unwrap().unwrap();
                assert!(held.is_instance_of::<PyBytes>(), "{name} is unpacked at every start: see HELD_BACK");
            }
            assert!(patterns.is_some());
        });
    }
}
