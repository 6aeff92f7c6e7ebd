//! Our own Python code: what is better said in Python than through pyo3. Its modules import each other under the names
//! given here and import nothing that costs time at a cold start: `logging` is prepared when the application imports
//! it, `traceback` when there is something to trace.

use std::ffi::CStr;

use pyo3::ffi::c_str;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Name, file shown in tracebacks, source; each after those that it imports.
const MODULES: [(&CStr, &CStr, &CStr); 12] = [
    (c"_wsgi_lambda_state", c"wsgi_lambda/state.py", c_str!(include_str!("glue/state.py"))),
    (c"_wsgi_lambda_streams", c"wsgi_lambda/streams.py", c_str!(include_str!("glue/streams.py"))),
    (c"_wsgi_lambda_errors", c"wsgi_lambda/errors.py", c_str!(include_str!("glue/errors.py"))),
    (c"_wsgi_lambda_files", c"wsgi_lambda/files.py", c_str!(include_str!("glue/files.py"))),
    (c"_wsgi_lambda_context", c"wsgi_lambda/context.py", c_str!(include_str!("glue/context.py"))),
    (c"_wsgi_lambda_snapshot", c"wsgi_lambda/snapshot.py", c_str!(include_str!("glue/snapshot.py"))),
    (c"_wsgi_lambda_start", c"wsgi_lambda/start.py", c_str!(include_str!("glue/start.py"))),
    (c"_wsgi_lambda_lifecycle", c"wsgi_lambda/lifecycle.py", c_str!(include_str!("glue/lifecycle.py"))),
    (c"_wsgi_lambda_deadline", c"wsgi_lambda/deadline.py", c_str!(include_str!("glue/deadline.py"))),
    (c"_wsgi_lambda_workers", c"wsgi_lambda/workers.py", c_str!(include_str!("glue/workers.py"))),
    (c"_wsgi_lambda_logs", c"wsgi_lambda/logs.py", c_str!(include_str!("glue/logs.py"))),
    (c"_wsgi_lambda", c"wsgi_lambda/index.py", c_str!(include_str!("glue/index.py"))),
];

/// The module that has all that is called from here; the modules are made at the first call.
pub(super) fn glue(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    static GLUE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let index = GLUE.get_or_try_init(py, || {
        for (name, file, source) in MODULES {
            PyModule::from_code(py, source, file, name)?;
        }
        py.import("_wsgi_lambda").map(Bound::unbind)
    })?;
    Ok(index.bind(py).clone())
}
