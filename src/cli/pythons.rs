//! Pythons that the repository makes.

/// Where `layer/python/build` and `wsgi-lambda layer` put Pythons, from the repository's folder: one folder each.
pub(super) const LAYER_PYTHONS: &str = ".cache/layer-python";
