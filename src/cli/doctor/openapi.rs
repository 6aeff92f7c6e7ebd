//! The integrations of API Gateway: in an OpenAPI document, or as resources of their own.

use super::model::RestMethod;
use super::node::{Field, Node, Place};

/// The media types that an OpenAPI document declares binary. A document that cannot be read may have them.
pub(super) fn binary_types(body: &Node) -> Field<Vec<String>> {
    let is_included = body.get("Fn::Transform").is_some();
    if body.map().is_none() || is_included {
        return Field::Unknown(body.at.clone());
    }
    Field::read(body.get("x-amazon-apigateway-binary-media-types"), Node::texts)
}

/// The methods of an OpenAPI document that call functions.
pub(super) fn methods(body: &Node, function: impl Fn(&Node) -> Option<String> + Copy) -> Vec<RestMethod> {
    let paths = body.get("paths").and_then(Node::map).map(|map| map.entries.as_slice()).unwrap_or_default();
    let methods = paths.iter().filter_map(|(_, path)| path.map()).flat_map(|map| map.entries.iter());
    let integrations = methods.filter_map(|(_, method)| method.get("x-amazon-apigateway-integration"));
    let keys = ["uri", "responseTransferMode", "timeoutInMillis"];
    integrations.filter_map(|node| method(node, &node.at, keys, function)).collect()
}

/// An integration that calls a function, read with these keys for URI, transfer mode and timeout. `None` if it calls
/// something else.
pub(super) fn method(
    node: &Node,
    at: &Place,
    [uri, mode, timeout]: [&str; 3],
    function: impl Fn(&Node) -> Option<String>,
) -> Option<RestMethod> {
    let uri = node.get(uri)?;
    let transfer_mode = Field::read(node.get(mode), Node::text);
    // CloudFormation and OpenAPI write the path, Terraform's provider has an attribute for it.
    let text = uri.partial_text();
    let is_streaming =
        text.contains("/response-streaming-invocations") || text.contains("response_streaming_invoke_arn");
    Some(RestMethod {
        at: at.clone(),
        function: Some(function(uri)?),
        streams: transfer_mode.or_default("BUFFERED".to_owned()).map(|mode| mode == "STREAM"),
        transfer_mode,
        streaming_uri: Some(is_streaming),
        timeout: Field::read(node.get(timeout), Node::number),
    })
}
