//! The resources of a template: Globals merged in, conditions and functions evaluated, references followed.

use crate::cli::doctor::intrinsics::{Resolver, function};
use crate::cli::doctor::node::{Data, Map, Node};

/// One resource, its functions evaluated and SAM's Globals merged in.
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) node: Node,
    pub(super) properties: Node,
}

/// A template, its resources with their functions evaluated.
pub(super) struct Template<'a> {
    pub(super) resolver: Resolver<'a>,
    pub(super) root: &'a Node,
    pub(super) resources: Vec<Resource>,
}

impl<'a> Template<'a> {
    /// Reads the resources, the template's parameters set to these values.
    pub(super) fn new(root: &'a Node, parameters: &[(String, String)]) -> Self {
        let mut template = Self { resolver: Resolver::new(root, parameters), root, resources: Vec::new() };
        template.resources = template.read_resources();
        template
    }

    fn read_resources(&self) -> Vec<Resource> {
        let declared = self.root.get("Resources").and_then(Node::map).map(|map| map.entries.as_slice());
        declared.unwrap_or_default().iter().filter_map(|(name, node)| self.read_resource(name, node)).collect()
    }

    /// A resource, unless its condition is false: then it is not made with these parameters.
    fn read_resource(&self, name: &str, node: &Node) -> Option<Resource> {
        let condition = node.get("Condition").and_then(Node::text);
        if condition.is_some_and(|condition| self.resolver.condition(&condition) == Some(false)) {
            return None;
        }
        let kind = node.get("Type")?.text()?;
        let empty = Node::new(&node.at, Data::Map(Map::default()));
        let own = node.get("Properties").unwrap_or(&empty);
        let merged = match self.globals(&kind, node) {
            Some(globals) => merge(&globals, own),
            None => own.clone(),
        };
        let properties = self.resolver.resolve(&merged);
        Some(Resource { name: name.to_owned(), kind, node: node.clone(), properties })
    }

    /// SAM's Globals for resources of a kind, without those that the resource ignores.
    fn globals(&self, kind: &str, resource: &Node) -> Option<Node> {
        let section = self.root.get("Globals")?.get(kind.strip_prefix("AWS::Serverless::")?)?;
        let unwanted = resource.get("IgnoreGlobals");
        if unwanted.and_then(Node::text).as_deref() == Some("*") {
            return None;
        }
        let unwanted = unwanted.and_then(Node::texts).unwrap_or_default();
        let mut map = section.map()?.clone();
        map.entries.retain(|(name, _)| !unwanted.contains(name));
        Some(Node::new(&section.at, Data::Map(map)))
    }

    pub(super) fn of_kind<'s>(&'s self, kinds: &'s [&str]) -> impl Iterator<Item = &'s Resource> {
        self.resources.iter().filter(move |resource| kinds.contains(&resource.kind.as_str()))
    }

    /// Which of these resources a value refers to first.
    pub(super) fn target(&self, node: Option<&Node>, kinds: &[&str]) -> Option<String> {
        let named = node?.resources();
        named.into_iter().find(|name| self.of_kind(kinds).any(|resource| resource.name == *name))
    }

    /// Every function that a value refers to.
    pub(super) fn functions(&self, node: &Node) -> Vec<String> {
        let one = |name: String| self.function(Some(&Node::later(&node.at, "", vec![name])));
        let mut functions: Vec<_> = node.resources().into_iter().filter_map(one).collect();
        functions.dedup();
        functions
    }

    /// The function that a value refers to, directly or through an alias or a version.
    pub(super) fn function(&self, node: Option<&Node>) -> Option<String> {
        const FUNCTIONS: &[&str] = &["AWS::Serverless::Function", "AWS::Lambda::Function"];
        const BETWEEN: &[&str] = &["AWS::Lambda::Alias", "AWS::Lambda::Version"];
        if let Some(name) = self.target(node, FUNCTIONS) {
            return Some(name);
        }
        // SAM names the alias of AutoPublishAlias `<function>Alias<alias>`.
        let of_alias = |name: &str| {
            let function = self
                .of_kind(FUNCTIONS)
                .find(|function| name.strip_prefix(&function.name).is_some_and(|rest| rest.starts_with("Alias")));
            function.map(|function| function.name.clone())
        };
        if let Some(name) = node?.resources().iter().find_map(|name| of_alias(name)) {
            return Some(name);
        }
        let between = self.target(node, BETWEEN)?;
        let between = self.resources.iter().find(|resource| resource.name == between)?;
        self.target(between.properties.get("FunctionName"), FUNCTIONS)
    }
}

/// The events of a SAM function: type and properties.
pub(super) fn events(resource: &Resource) -> impl Iterator<Item = (String, &Node)> {
    let events = resource.properties.get("Events").and_then(Node::map).map(|map| map.entries.as_slice());
    events.unwrap_or_default().iter().filter_map(|(_, event)| Some((event.get("Type")?.text()?, event)))
}

/// SAM's rules for Globals ("Globals section of the AWS SAM template"): maps are merged, lists appended, of anything
/// else the resource's own wins. A function call is one value.
fn merge(global: &Node, own: &Node) -> Node {
    let data = match (&global.data, &own.data) {
        (Data::Map(global), Data::Map(map)) if function(global).is_none() && function(map).is_none() => {
            let mut merged = global.clone();
            for (name, node) in &map.entries {
                let node = global.get(name).map_or_else(|| node.clone(), |global| merge(global, node));
                merged.set(name, node);
            }
            Data::Map(merged)
        }
        (Data::List(global), Data::List(items)) => Data::List(global.iter().chain(items).cloned().collect()),
        _ => own.data.clone(),
    };
    Node { at: own.at.clone(), data }
}
