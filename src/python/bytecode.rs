//! Files that `compile_glue.py` has made: the magic number of a Python's bytecode, then what only that Python can read.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

/// What a compiled file holds after the magic number; `None` when it was made by a Python with other bytecode, as a
/// pre-release has, or by none.
pub(super) fn for_this_python(py: Python<'_>, file: &'static [u8]) -> PyResult<Option<&'static [u8]>> {
    static MAGIC: PyOnceLock<Py<PyBytes>> = PyOnceLock::new();
    let magic = MAGIC.get_or_try_init(py, || {
        let number = py.import("_frozen_importlib_external")?.getattr("MAGIC_NUMBER")?;
        PyResult::Ok(number.cast_into::<PyBytes>()?.unbind())
    })?;
    Ok(file.strip_prefix(magic.as_bytes(py)))
}
