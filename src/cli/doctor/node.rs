//! A value of a template, with the line it is written on, and whether it is known before the deployment.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: Arc<Path>,
    /// From 1.
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// A value and its place. An entry of a map has its key's place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) data: Data,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// Nothing, `null`, `AWS::NoValue`.
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Map),
    /// Known when it is deployed: what can be said of its text, and the resources it comes from.
    Later(Later),
}

/// Named values.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub(super) entries: Vec<(String, Node)>,
    /// Whether there may be more of them, which only the deployment knows.
    pub(super) open: bool,
}

/// What is known of a value before the deployment.
#[derive(Clone, Debug, Default)]
pub(super) struct Later {
    /// With `${…}` where something is missing.
    pub(super) text: String,
    /// The resources whose attributes it is made of, by name.
    pub(super) resources: Vec<String>,
}

impl Map {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// Sets an entry, in the place of one with the same name.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        match self.entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = node,
            None => self.entries.push((key.to_owned(), node)),
        }
    }
}

impl Node {
    pub(super) fn new(at: &Place, data: Data) -> Self {
        Self { at: at.clone(), data }
    }

    pub(super) fn text_at(at: &Place, text: impl Into<String>) -> Self {
        Self::new(at, Data::Text(text.into()))
    }

    /// A value that only the deployment knows.
    pub(super) fn later(at: &Place, text: impl Into<String>, resources: Vec<String>) -> Self {
        Self::new(at, Data::Later(Later { text: text.into(), resources }))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    pub(super) fn is_later(&self) -> bool {
        matches!(self.data, Data::Later(_))
    }

    /// An entry of a map, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.map()?.get(key).filter(|node| !node.is_null())
    }

    /// An entry of an entry, and so on. An entry of a value that only the deployment knows is such a value, too.
    pub(super) fn path(&self, keys: &[&str]) -> Option<&Node> {
        let Some((first, rest)) = keys.split_first() else { return Some(self) };
        if self.is_later() { Some(self) } else { self.get(first)?.path(rest) }
    }

    /// Every entry at a path that leads through maps, and through each item of lists.
    pub(super) fn all(&self, keys: &[&str]) -> Vec<&Self> {
        if let Some(items) = self.list() {
            return items.iter().flat_map(|item| item.all(keys)).collect();
        }
        let Some((first, rest)) = keys.split_first() else { return vec![self] };
        if self.is_later() {
            return vec![self];
        }
        self.get(first).map(|node| node.all(rest)).unwrap_or_default()
    }

    pub(super) fn map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// A scalar as text, as both CloudFormation and Terraform turn numbers and booleans into strings.
    pub(super) fn text(&self) -> Option<String> {
        match &self.data {
            Data::Text(text) => Some(text.clone()),
            Data::Bool(flag) => Some(flag.to_string()),
            Data::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<u64> {
        self.text()?.trim().parse().ok()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        }
    }

    /// A list of scalars; `None` if one of them is not known.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        self.list()?.iter().filter(|node| !node.is_null()).map(Node::text).collect()
    }

    /// The text as far as it is known.
    pub(super) fn partial_text(&self) -> String {
        match &self.data {
            Data::Later(later) => later.text.clone(),
            _ => self.text().unwrap_or_default(),
        }
    }

    /// Every resource that this value refers to, at any depth.
    pub(super) fn resources(&self) -> Vec<String> {
        match &self.data {
            Data::Later(later) => later.resources.clone(),
            Data::List(items) => items.iter().flat_map(Node::resources).collect(),
            Data::Map(map) => map.entries.iter().flat_map(|(_, node)| node.resources()).collect(),
            _ => Vec::new(),
        }
    }
}

/// The texts of several nodes, joined.
pub(super) fn concat(parts: &[Node], between: &str, at: &Node) -> Node {
    if let Some(texts) = parts.iter().map(Node::text).collect::<Option<Vec<_>>>() {
        return Node::text_at(&at.at, texts.join(between));
    }
    let text = parts.iter().map(Node::partial_text).collect::<Vec<_>>().join(between);
    let resources = parts.iter().flat_map(Node::resources).collect();
    Node::new(&at.at, Data::Later(Later { text, resources }))
}

/// The keys and values of a collection, as `for` and `for_each` see them; `None` if it is not known.
pub(super) fn items(collection: &Node) -> Option<Vec<(String, Node)>> {
    match &collection.data {
        Data::List(items) => {
            Some(items.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone())).collect())
        }
        Data::Map(map) if !map.open => Some(map.entries.clone()),
        Data::Null => Some(Vec::new()),
        _ => None,
    }
}

pub(super) fn unknown(at: &Place, resources: Vec<String>) -> Node {
    Node::later(at, "${…}", resources)
}

/// A property: not written, or written with a value that may be known only when it is deployed.
#[derive(Clone, Debug, Default)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Unknown(Place),
    Known(T, Place),
}

impl<T> Field<T> {
    /// A property read from its node. What cannot be read counts as not known: types are for linters to judge.
    pub(super) fn read(node: Option<&Node>, read: impl FnOnce(&Node) -> Option<T>) -> Self {
        match node {
            None => Self::Absent,
            Some(node) if node.is_null() => Self::Absent,
            Some(node) => match read(node) {
                Some(value) => Self::Known(value, node.at.clone()),
                None => Self::Unknown(node.at.clone()),
            },
        }
    }

    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Known(value, _) => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Where it is written.
    pub(super) fn place(&self) -> Option<&Place> {
        match self {
            Self::Absent => None,
            Self::Unknown(place) | Self::Known(_, place) => Some(place),
        }
    }

    /// The value, or this one if nothing is written; `None` if only the deployment knows.
    pub(super) fn or_default(&self, default: T) -> Option<T>
    where
        T: Clone,
    {
        match self {
            Self::Absent => Some(default),
            Self::Unknown(_) => None,
            Self::Known(value, _) => Some(value.clone()),
        }
    }
}
