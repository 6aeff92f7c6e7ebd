//! The functions of Terraform with which modules build what a check reads: variables, layers, timeouts, names of layers
//! and paths. The result of any other is not known, and no check judges it.
//!
//! Nothing is added here: see `doctor/mod.rs`.

use crate::cli::doctor::node::{Data, Map, Node, Place, concat, items};

/// The value of a call; `None` if it is not known.
pub(super) fn apply(name: &str, arguments: &[Node], at: &Place) -> Option<Node> {
    let data = match (name, arguments) {
        // The value stays the same, or equivalent: of a JSON document the checks read what it is made of.
        (
            "tostring" | "tonumber" | "tobool" | "tolist" | "toset" | "tomap" | "nonsensitive" | "sensitive"
            | "abspath" | "one" | "jsonencode",
            [value],
        ) => value.data.clone(),
        ("merge", maps) => merge(maps)?,
        ("concat", lists) => {
            let lists: Option<Vec<_>> = lists.iter().map(Node::list).collect();
            Data::List(lists?.concat())
        }
        ("compact", [list]) => {
            let is_there = |item: &&Node| !item.is_null() && item.text().as_deref() != Some("");
            Data::List(list.list()?.iter().filter(is_there).cloned().collect())
        }
        ("flatten", [list]) => {
            let inner = |item: &Node| item.list().map_or_else(|| vec![item.clone()], <[Node]>::to_vec);
            Data::List(list.list()?.iter().flat_map(inner).collect())
        }
        ("coalesce", values) => first(values, |node| !node.is_null() && node.text().as_deref() != Some(""))?,
        ("try", values) => first(values, |node| !node.is_null())?,
        #[allow(clippy::cast_precision_loss)] // a count
        ("length", [value]) => Data::Number(match value.text() {
            Some(text) => text.chars().count(),
            None => items(value)?.len(),
        } as f64),
        ("values", [map]) => Data::List(items(map)?.into_iter().map(|(_, value)| value).collect()),
        ("max", numbers) => {
            let numbers: Option<Vec<f64>> = numbers.iter().map(|number| number.text()?.parse().ok()).collect();
            Data::Number(numbers?.into_iter().reduce(f64::max)?)
        }
        ("lookup", [map, key, rest @ ..]) => {
            let (map, key) = (map.map()?, key.text()?);
            let missing = if map.open { None } else { rest.first() };
            map.get(&key).or(missing)?.data.clone()
        }
        _ => return text_function(name, arguments, at),
    };
    Some(Node::new(at, data))
}

fn text_function(name: &str, arguments: &[Node], at: &Place) -> Option<Node> {
    if let ("join", [between, list]) = (name, arguments) {
        return Some(concat(list.list()?, &between.text()?, &Node::new(at, Data::Null)));
    }
    if name == "format" {
        return format(arguments, at);
    }
    let texts: Vec<String> = arguments.iter().map(Node::text).collect::<Option<_>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let text = match (name, texts.as_slice()) {
        ("lower", [text]) => text.to_lowercase(),
        ("basename", [text]) => text.rsplit('/').next()?.to_owned(),
        // Between slashes it is a regular expression.
        ("replace", [text, from, to]) if !from.starts_with('/') => text.replace(from, to),
        _ => return None,
    };
    Some(Node::text_at(at, text))
}

/// `merge`: later maps win. A map that is not known leaves the result open.
fn merge(maps: &[Node]) -> Option<Data> {
    let mut merged = Map::default();
    for node in maps {
        match &node.data {
            Data::Map(map) => {
                merged.open |= map.open;
                for (name, value) in &map.entries {
                    merged.set(name, value.clone());
                }
            }
            Data::Null => {}
            Data::Later(_) => {
                // It may replace what came before it.
                merged.entries.clear();
                merged.open = true;
            }
            _ => return None,
        }
    }
    Some(Data::Map(merged))
}

/// The first value that is taken; not known if one before it is not.
fn first(values: &[Node], is_taken: impl Fn(&Node) -> bool) -> Option<Data> {
    let node = values.iter().find(|node| node.is_later() || is_taken(node))?;
    (!node.is_later()).then(|| node.data.clone())
}

/// `format("%s-%s", a, b)`; other verbs than `%s` and `%d` are not known.
fn format(arguments: &[Node], at: &Place) -> Option<Node> {
    let (pattern, values) = arguments.split_first()?;
    let pattern = pattern.text()?;
    let mut values = values.iter();
    let mut parts = Vec::new();
    let mut pieces = pattern.split('%');
    parts.push(Node::text_at(at, pieces.next()?));
    for piece in pieces {
        let rest = piece.strip_prefix(['s', 'd'])?;
        parts.push(values.next()?.clone());
        parts.push(Node::text_at(at, rest));
    }
    Some(concat(&parts, "", &Node::new(at, Data::Null)))
}
