//! The two routes that an application has: `/` and `/{proxy+}`.

use serde_json::{Value, json};

/// A route that matched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'p> {
    /// What `{proxy+}` stands for; `None` at the root, which it does not match.
    proxy: Option<&'p str>,
}

impl<'p> Route<'p> {
    /// The route of a path without its mount point.
    pub(super) fn of(rest: &'p str) -> Self {
        Self { proxy: rest.strip_prefix('/').filter(|proxy| !proxy.is_empty()) }
    }

    /// The same, for a REST API: the parameter lacks a slash at the URL's end.
    pub(super) fn of_rest_api(rest: &'p str) -> Self {
        Self::of(rest.strip_suffix('/').unwrap_or(rest))
    }

    /// The key, as HTTP APIs write it.
    pub(super) fn key(self) -> &'static str {
        if self.proxy.is_some() { "ANY /{proxy+}" } else { "ANY /" }
    }

    /// The resource, as payload 1.0 writes it.
    pub(super) fn resource(self) -> &'static str {
        if self.proxy.is_some() { "/{proxy+}" } else { "/" }
    }

    /// The path parameters.
    pub(super) fn parameters(self) -> Option<Value> {
        self.proxy.map(|proxy| json!({ "proxy": proxy }))
    }
}
