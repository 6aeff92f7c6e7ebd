//! SAM and CloudFormation templates as the model.

use std::path::{Path, PathBuf};

use super::intrinsics::Resolver;
use super::model::{
    Code, Deployment, Dialect, Function, FunctionUrl, HttpApi, Layer, LayerUse, RestApi, RestMethod, TargetGroup,
    Variables,
};
use super::node::{Data, Field, Map, Node};
use super::{intrinsics, yaml};
use crate::cli::failure::Failure;

mod apis;

/// One resource, its functions worked out and SAM's Globals put in.
struct Resource {
    name: String,
    kind: String,
    node: Node,
    properties: Node,
}

/// A template while it is read.
struct Template<'a> {
    resolver: Resolver<'a>,
    root: &'a Node,
    folder: PathBuf,
    resources: Vec<Resource>,
}

/// Reads a template, its parameters set to these values.
pub(super) fn read(path: &Path, parameters: &[(String, String)]) -> Result<Deployment, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read the template {}: {error}", path.display())))?;
    let root = yaml::parse(&text, path)?;
    if root.get("Resources").and_then(Node::map).is_none() {
        return Err(Failure::Usage(format!(
            "{} is not a CloudFormation template: it has no Resources. Name the template with --template",
            path.display()
        )));
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let resolver = Resolver::new(&root, parameters);
    let mut template = Template { resolver, root: &root, folder, resources: Vec::new() };
    template.resources = template.read_resources();
    Ok(template.deployment())
}

impl Template<'_> {
    fn read_resources(&self) -> Vec<Resource> {
        let declared = self.root.get("Resources").and_then(Node::map).map(|map| map.entries.as_slice());
        declared.unwrap_or_default().iter().filter_map(|(name, node)| self.read_resource(name, node)).collect()
    }

    /// A resource, unless its condition does not hold: it is not made with these parameters.
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

    /// SAM's defaults for resources of a kind, without those that the resource does not want.
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

    fn of_kind<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Resource> {
        self.resources.iter().filter(move |resource| kinds.contains(&resource.kind.as_str()))
    }

    /// Which of these resources a value refers to first.
    fn target(&self, node: Option<&Node>, kinds: &[&str]) -> Option<String> {
        let named = node?.resources();
        named.into_iter().find(|name| self.of_kind(kinds).any(|resource| resource.name == *name))
    }

    /// The function that a value stands for, also through one of its aliases or versions.
    fn function(&self, node: Option<&Node>) -> Option<String> {
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

    fn deployment(&self) -> Deployment {
        let is_sam = self.resources.iter().any(|resource| resource.kind.starts_with("AWS::Serverless::"));
        let mut functions: Vec<_> =
            self.of_kind(&["AWS::Serverless::Function"]).map(|one| self.sam_function(one)).collect();
        functions.extend(self.of_kind(&["AWS::Lambda::Function"]).map(|one| self.plain_function(one)));
        Deployment {
            dialect: if is_sam { Dialect::Sam } else { Dialect::CloudFormation },
            functions,
            layers: self
                .of_kind(&["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"])
                .map(|one| self.layer(one))
                .collect(),
            function_urls: self.function_urls(),
            rest_apis: self.rest_apis(),
            http_apis: self.http_apis(),
            target_groups: self.target_groups(),
            domains: self.domains(),
        }
    }

    fn sam_function(&self, resource: &Resource) -> Function {
        let mut function = self.common_function(resource);
        let properties = &resource.properties;
        function.code.path = Field::read(properties.get("CodeUri"), |node| self.local_path(node));
        if function.code.path.is_absent() && properties.get("InlineCode").is_none() && !function.image {
            // SAM's default is the template's folder.
            function.code.path = Field::Known(self.folder.join("."), resource.node.at.clone());
        }
        function.code.built = self.built(&resource.name);
        function.code.made = is_made(resource);
        function.published = match properties.get("AutoPublishAlias") {
            Some(_) => Some(true),
            None => Some(self.has_version(&resource.name)),
        };
        function.other_events = events(resource).any(|(kind, _)| !matches!(kind.as_str(), "Api" | "HttpApi"));
        function
    }

    fn plain_function(&self, resource: &Resource) -> Function {
        let mut function = self.common_function(resource);
        // `aws cloudformation package` takes a path in the place of the object.
        let code = resource.properties.get("Code").filter(|node| node.text().is_some() || node.is_later());
        function.code.path = Field::read(code, |node| self.local_path(node));
        function.published = Some(self.has_version(&resource.name));
        function.other_events = self
            .of_kind(&["AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"])
            .any(|other| other.properties.resources().contains(&resource.name));
        function
    }

    fn common_function(&self, resource: &Resource) -> Function {
        let properties = &resource.properties;
        let text = |key: &str| Field::read(properties.get(key), Node::text);
        let layers = properties.get("Layers");
        let architecture = |node: &Node| node.texts()?.first()?.parse().ok();
        Function {
            name: resource.name.clone(),
            at: resource.node.at.clone(),
            image: text("PackageType").value().is_some_and(|kind| kind == "Image"),
            runtime: text("Runtime"),
            handler: text("Handler"),
            code: Code::default(),
            timeout: Field::read(properties.get("Timeout"), Node::number),
            architecture: Field::read(properties.get("Architectures"), architecture),
            variables: Variables::read(properties.path(&["Environment", "Variables"])),
            layers: layers.and_then(Node::list).unwrap_or_default().iter().map(|node| self.layer_use(node)).collect(),
            more_layers: layers.is_some_and(|node| node.list().is_none()),
            snap_start: Field::read(properties.path(&["SnapStart", "ApplyOn"]), |node| {
                Some(node.text()? == "PublishedVersions")
            }),
            in_vpc: properties.get("VpcConfig").is_some(),
            published: None,
            other_events: false,
        }
    }

    fn layer_use(&self, node: &Node) -> LayerUse {
        let local = self.target(Some(node), &["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"]);
        local.map_or_else(|| LayerUse::Elsewhere(node.partial_text()), LayerUse::Local)
    }

    fn layer(&self, resource: &Resource) -> Layer {
        let properties = &resource.properties;
        let content = properties.get("ContentUri").or_else(|| properties.get("Content"));
        let content = content.filter(|node| node.text().is_some() || node.is_later());
        Layer {
            name: resource.name.clone(),
            called: properties.get("LayerName").map(Node::partial_text).unwrap_or_default(),
            code: Code {
                path: Field::read(content, |node| self.local_path(node)),
                built: self.built(&resource.name),
                made: is_made(resource),
            },
            runtimes: Field::read(properties.get("CompatibleRuntimes"), Node::texts),
            architectures: Field::read(properties.get("CompatibleArchitectures"), Node::texts),
        }
    }

    /// A path on this machine; buckets are elsewhere.
    fn local_path(&self, node: &Node) -> Option<PathBuf> {
        let text = node.text().filter(|text| !text.contains("://"))?;
        let path = text.trim_start_matches("./").trim_end_matches('/');
        Some(self.folder.join(if path.is_empty() { "." } else { path }))
    }

    fn built(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(".aws-sam/build").join(name)).filter(|path| path.is_dir())
    }

    fn has_version(&self, function: &str) -> bool {
        self.of_kind(&["AWS::Lambda::Version"])
            .any(|version| version.properties.resources().iter().any(|name| name == function))
    }
}

/// Whether the package is what a Makefile or a program of the user's makes of the folder.
fn is_made(resource: &Resource) -> bool {
    resource.node.path(&["Metadata", "BuildMethod"]).is_some()
}

/// The events of a SAM function: type and properties.
fn events(resource: &Resource) -> impl Iterator<Item = (String, &Node)> {
    let events = resource.properties.get("Events").and_then(Node::map).map(|map| map.entries.as_slice());
    events.unwrap_or_default().iter().filter_map(|(_, event)| Some((event.get("Type")?.text()?, event)))
}

/// SAM's rules for Globals ("Globals section of the AWS SAM template"): maps are merged, lists appended, of anything
/// else the resource's own wins. A function call is one value.
fn merge(global: &Node, own: &Node) -> Node {
    let data = match (&global.data, &own.data) {
        (Data::Map(global), Data::Map(map))
            if intrinsics::function(global).is_none() && intrinsics::function(map).is_none() =>
        {
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
