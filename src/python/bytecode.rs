//! Files that `compile_glue.py` makes: the magic number of a Python's bytecode, then data that only this Python reads.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

/// Returns the data of a file without the magic number. `None` if a Python with other bytecode made it (pre-releases
/// have their own), or if it was not compiled.
pub(super) fn for_this_python(py: Python<'_>, file: &'static [u8]) -> PyResult<Option<&'static [u8]>> {
    static MAGIC: PyOnceLock<Py<PyBytes>> = PyOnceLock::new();
    let magic = MAGIC.get_or_try_init(py, || {
        let number = py.import("_frozen_importlib_external")?.getattr("MAGIC_NUMBER")?;
        PyResult::Ok(number.cast_into::<PyBytes>()?.unbind())
    })?;
    Ok(file.strip_prefix(magic.as_bytes(py)))
}
