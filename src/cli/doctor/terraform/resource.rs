//! A resource of a Terraform module.

use crate::cli::doctor::node::{Node, Place};

/// One resource of one module, its expressions evaluated.
#[derive(Debug)]
pub(super) struct Resource {
    /// `aws_lambda_function.app`, with its module in front.
    pub(super) base: String,
    /// The same followed by `["key"]`.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) at: Place,
    pub(super) body: Node,
}
