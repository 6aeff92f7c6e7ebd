//! SAM and CloudFormation templates as the model.

use std::path::{Path, PathBuf};

use super::model::{Code, Deployment, Dialect, Function, Layer, LayerUse, Variables};
use super::node::{Field, Node};
use super::yaml;
use crate::cli::failure::Failure;

mod apis;
mod template;

use self::template::{Resource, Template, events};

/// Reads a template with these values of its parameters.
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
    Ok(Reader { template: Template::new(&root, parameters), folder }.deployment())
}

/// A template, and the folder that its paths begin at.
struct Reader<'a> {
    template: Template<'a>,
    folder: PathBuf,
}

impl Reader<'_> {
    fn deployment(&self) -> Deployment {
        let is_sam = self.template.resources.iter().any(|resource| resource.kind.starts_with("AWS::Serverless::"));
        let mut functions: Vec<_> =
            self.template.of_kind(&["AWS::Serverless::Function"]).map(|one| self.sam_function(one)).collect();
        functions.extend(self.template.of_kind(&["AWS::Lambda::Function"]).map(|one| self.plain_function(one)));
        Deployment {
            dialect: if is_sam { Dialect::Sam } else { Dialect::CloudFormation },
            functions,
            layers: self
                .template
                .of_kind(&["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"])
                .map(|one| self.layer(one))
                .collect(),
            function_urls: apis::function_urls(&self.template),
            rest_apis: apis::rest_apis(&self.template),
            http_apis: apis::http_apis(&self.template),
            target_groups: apis::target_groups(&self.template),
            domains: apis::domains(&self.template),
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
            .template
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
        let local = self.template.target(Some(node), &["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"]);
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

    /// A path on this machine. `None` for one in a bucket.
    fn local_path(&self, node: &Node) -> Option<PathBuf> {
        let text = node.text().filter(|text| !text.contains("://"))?;
        let path = text.trim_start_matches("./").trim_end_matches('/');
        Some(self.folder.join(if path.is_empty() { "." } else { path }))
    }

    fn built(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(".aws-sam/build").join(name)).filter(|path| path.is_dir())
    }

    fn has_version(&self, function: &str) -> bool {
        self.template
            .of_kind(&["AWS::Lambda::Version"])
            .any(|version| version.properties.resources().iter().any(|name| name == function))
    }
}

/// Whether a Makefile or a program of the user's makes the package from the folder.
fn is_made(resource: &Resource) -> bool {
    resource.node.path(&["Metadata", "BuildMethod"]).is_some()
}
