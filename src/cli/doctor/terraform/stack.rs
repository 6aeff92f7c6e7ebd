//! The resources of a Terraform deployment, and what refers to what.

use std::path::PathBuf;

use super::resource::Resource;
use crate::cli::doctor::node::Node;

/// All resources of a folder and of the modules that it calls.
pub(super) struct Stack {
    pub(super) root: PathBuf,
    pub(super) resources: Vec<Resource>,
}

impl Stack {
    pub(super) fn of_kind<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| kinds.contains(&resource.kind.as_str()))
    }

    /// The first resource of a kind that a value refers to.
    pub(super) fn target(&self, node: Option<&Node>, kind: &str) -> Option<&Resource> {
        let named = node?.resources();
        named.iter().find_map(|name| self.resources.iter().find(|one| one.base == *name && one.kind == kind))
    }

    /// The function that a value refers to, directly or through an alias.
    pub(super) fn function(&self, node: Option<&Node>) -> Option<String> {
        if let Some(function) = self.target(node, "aws_lambda_function") {
            return Some(function.name.clone());
        }
        let alias = self.target(node, "aws_lambda_alias")?;
        Some(self.target(alias.body.get("function_name"), "aws_lambda_function")?.name.clone())
    }

    /// Every function that a value refers to; all of `for_each`, whose keys a reference does not keep.
    pub(super) fn functions(&self, node: &Node) -> Vec<String> {
        let mut named = node.resources();
        let aliases = self.of_kind(&["aws_lambda_alias"]).filter(|alias| named.contains(&alias.base));
        let behind: Vec<_> = aliases.filter_map(|alias| alias.body.get("function_name")).collect();
        named.extend(behind.into_iter().flat_map(Node::resources));
        let functions = self.of_kind(&["aws_lambda_function"]).filter(|function| named.contains(&function.base));
        functions.map(|function| function.name.clone()).collect()
    }
}

/// The first block of a name in a resource. One that only the deployment knows stands for what is in it.
pub(super) fn block<'a>(body: &'a Node, name: &str) -> Option<&'a Node> {
    let node = body.get(name)?;
    node.list().map_or(Some(node), <[Node]>::first)
}
