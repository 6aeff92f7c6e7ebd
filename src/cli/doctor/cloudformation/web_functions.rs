//! Lambda Web Functions. SAM's are one resource, CloudFormation's have their code and settings in a revision.

use super::template::{Resource, Template};
use crate::cli::doctor::model::WebFunction;
use crate::cli::doctor::node::Node;
use crate::config::PREFIX;

const KINDS: &[&str] =
    &["AWS::Serverless::WebFunction", "AWS::Lambda::WebFunction", "AWS::Lambda::WebFunctionRevision"];

pub(super) fn read(template: &Template<'_>) -> Vec<WebFunction> {
    let function = |resource: &Resource| WebFunction {
        name: resource.name.clone(),
        at: resource.node.at.clone(),
        sign: sign(&resource.properties),
    };
    template.of_kind(KINDS).map(function).collect()
}

/// What shows that somebody means to run Python in it.
fn sign(properties: &Node) -> Option<String> {
    let runtime = properties.get("Runtime").and_then(Node::text).unwrap_or_default();
    if runtime.starts_with("python") || runtime.starts_with("provided") || runtime == "custom" {
        return Some(format!("Runtime: {runtime}"));
    }
    let variables = properties.path(&["Environment", "Variables"]).or_else(|| properties.get("Environment"))?;
    let is_ours = |name: &&String| name.starts_with(PREFIX) || *name == "AWS_LAMBDA_EXEC_WRAPPER";
    let mut names = variables.map()?.entries.iter().map(|(name, _)| name);
    names.find(is_ours).map(|name| format!("the variable {name}"))
}
