//! Templates in YAML and in JSON, which is YAML too, as nodes with their lines.

use std::path::Path;
use std::sync::Arc;

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, ScanError, YamlData};

use super::node::{Data, Map, Node, Place};
use crate::cli::failure::Failure;

/// Reads a template. CloudFormation's short forms (`!Ref X`) become their long ones (`{"Ref": "X"}`).
pub(super) fn parse(text: &str, file: &Path) -> Result<Node, Failure> {
    let file: Arc<Path> = Arc::from(file);
    let read = |text: &str| {
        let documents = MarkedYaml::load_from_str(text)?;
        let at = Place { file: Arc::clone(&file), line: 1 };
        Ok(documents.first().map_or_else(|| Node::new(&at, Data::Null), |document| node(document, &file)))
    };
    let mut result = read(text);
    // As often as such lines may be in a template.
    let mut text = text.to_owned();
    while let Some(indented) = result.as_ref().err().and_then(|error| indented(&text, error)) {
        text = indented;
        result = read(&text);
    }
    result.map_err(|error: ScanError| {
        let mark = error.marker();
        let (line, column) = (mark.line(), mark.col() + 1);
        Failure::Failed(format!("{}:{line}:{column}: not YAML: {}", file.display(), error.info()))
    })
}

/// More than any block is indented by.
const FAR: &str = "                                                                                ";

/// The text with the line of an error indented. YAML wants the lines of `[…]` and `{…}` indented deeper than the block
/// that they stand in, the closing bracket too; PyYAML, with which SAM reads templates, does not mind.
fn indented(text: &str, error: &ScanError) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line = lines.get_mut(error.marker().line().checked_sub(1)?)?;
    let is_flow = line.trim_start().starts_with([']', '}', '"', '\'', '{', '[']) && !line.starts_with(FAR);
    if !is_flow || !error.info().contains("indentation") {
        return None;
    }
    line.insert_str(0, FAR);
    Some(lines.join("\n"))
}

fn node(yaml: &MarkedYaml<'_>, file: &Arc<Path>) -> Node {
    let at = Place { file: Arc::clone(file), line: yaml.span.start.line().max(1) };
    let data = match &yaml.data {
        YamlData::Value(Scalar::Null) | YamlData::BadValue | YamlData::Alias(_) => Data::Null,
        YamlData::Value(Scalar::Boolean(flag)) => Data::Bool(*flag),
        #[allow(clippy::cast_precision_loss)] // a number of a template is a timeout or a size
        YamlData::Value(Scalar::Integer(number)) => Data::Number(*number as f64),
        YamlData::Value(Scalar::FloatingPoint(number)) => Data::Number(number.into_inner()),
        YamlData::Value(Scalar::String(text)) | YamlData::Representation(text, ..) => {
            Data::Text(text.clone().into_owned())
        }
        YamlData::Sequence(items) => Data::List(items.iter().map(|item| node(item, file)).collect()),
        YamlData::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| entry(key, value, file)).collect();
            Data::Map(Map { entries, open: false })
        }
        YamlData::Tagged(tag, inner) => {
            let inner = node(inner, file);
            match long_form(&tag.suffix) {
                Some(name) => Data::Map(Map { entries: vec![(name, inner)], open: false }),
                None => inner.data,
            }
        }
    };
    Node { at, data }
}

/// An entry has its key's place: the value of `Environment:` begins a line lower.
fn entry(key: &MarkedYaml<'_>, value: &MarkedYaml<'_>, file: &Arc<Path>) -> (String, Node) {
    let key = node(key, file);
    let value = node(value, file);
    (key.text().unwrap_or_default(), Node { at: key.at, data: value.data })
}

/// CloudFormation User Guide, "Intrinsic function reference": every tag but two is the function without `Fn::`.
fn long_form(tag: &str) -> Option<String> {
    match tag {
        "" => None,
        "Ref" | "Condition" => Some(tag.to_owned()),
        name => Some(format!("Fn::{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_may_close_at_the_edge() {
        let text =
            "A:\n  B:\n    - C: [{\n      \"x\": 1,\n      }]\n      D:\n        [\n          y,\n      ]\n  E: 2\n";
        let root = parse(text, Path::new("t.yaml")).unwrap();
        assert_eq!(root.path(&["A", "E"]).map(|node| (node.number(), node.at.line)), Some((Some(2), 10)));
        let item = root.path(&["A", "B"]).and_then(Node::list).unwrap().first().unwrap();
        assert_eq!(item.get("D").and_then(Node::texts), Some(vec!["y".to_owned()]));
        assert!(parse("A: [1, 2\nB: 3\n", Path::new("t.yaml")).is_err());
    }
}
