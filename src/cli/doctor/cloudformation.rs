//! SAM and CloudFormation templates as the model.

use std::path::{Path, PathBuf};

use super::find;
use super::model::{Code, Deployment, Dialect, Function, Layer, LayerUse, RuntimeConfig, Variables};
use super::node::{Field, Node};
use super::yaml;
use crate::cli::failure::Failure;

mod apis;
mod template;
mod triggers;
mod web_functions;

use self::template::{Resource, Template};

/// Reads a template with these values of its parameters.
pub(super) fn read(path: &Path, parameters: &[(String, String)]) -> Result<Deployment, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("cannot read the template {}: {error}", path.display())))?;
    let refusal =
        |what: &str| Err(Failure::Usage(format!("{} is not a CloudFormation template: {what}", path.display())));
    let root = match yaml::parse(&text, path) {
        Ok(root) if root.get("Resources").and_then(Node::map).is_some() => root,
        _ if find::is_of_serverless(path) => return refusal(find::SLS_PACKAGE),
        Ok(_) => return refusal("it has no Resources. Name another file with --template"),
        Err(failure) => return Err(failure),
    };
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
        triggers::assign(&self.template, &mut functions);
        Deployment {
            dialect: if is_sam { Dialect::Sam } else { Dialect::CloudFormation },
            functions,
            web_functions: web_functions::read(&self.template),
            layers: self
                .template
                .of_kind(&["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"])
                .map(|one| self.layer(one))
                .collect(),
            function_urls: apis::function_urls(&self.template),
            rest_apis: apis::rest_apis(&self.template),
            http_apis: apis::http_apis(&self.template),
            parameters: self.parameters(),
            target_groups: apis::target_groups(&self.template),
            domains: apis::domains(&self.template),
        }
    }

    fn parameters(&self) -> Vec<String> {
        let parameters = self.template.root.get("Parameters").and_then(Node::map);
        parameters.map(|map| map.entries.iter().map(|(name, _)| name.clone()).collect()).unwrap_or_default()
    }

    fn sam_function(&self, resource: &Resource) -> Function {
        let mut function = self.common_function(resource);
        let properties = &resource.properties;
        // SAM takes the code in the template before that of CodeUri.
        let is_inline = properties.get("InlineCode").is_some();
        function.code.path =
            Field::read(properties.get("CodeUri").filter(|_| !is_inline), |node| self.local_path(node));
        if function.code.path.is_absent() && !is_inline && !function.image {
            // SAM's default is the template's folder.
            function.code.path = Field::Known(self.folder.join("."), resource.node.at.clone());
        }
        function.code.built = self.built(&resource.name);
        function.code.made = is_made(resource);
        function.published = match properties.get("AutoPublishAlias") {
            Some(_) => Some(true),
            None => Some(self.has_version(&resource.name)),
        };
        function
    }

    fn plain_function(&self, resource: &Resource) -> Function {
        let mut function = self.common_function(resource);
        function.code.path = self.staged(resource, "Code");
        function.published = Some(self.has_version(&resource.name));
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
            triggers: Vec::new(),
            runtime_config: Field::read(properties.get("RuntimeConfig"), |node| {
                let arn = node.map()?.get("RuntimeArn").map(Node::partial_text);
                Some(RuntimeConfig { arn, has_alias: node.get("RuntimeAlias").is_some() })
            }),
            managed_instances: properties.get("CapacityProviderConfig").is_some(),
            dockerfile: self.dockerfile(resource),
        }
    }

    fn layer_use(&self, node: &Node) -> LayerUse {
        let local = self.template.target(Some(node), &["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"]);
        local.map_or_else(|| LayerUse::Elsewhere(node.partial_text()), LayerUse::Local)
    }

    fn layer(&self, resource: &Resource) -> Layer {
        let properties = &resource.properties;
        let path = match properties.get("ContentUri") {
            Some(node) => Field::read(Some(node), |node| self.local_path(node)),
            None => self.staged(resource, "Content"),
        };
        Layer {
            name: resource.name.clone(),
            called: properties.get("LayerName").map(Node::partial_text).unwrap_or_default(),
            code: Code { path, built: self.built(&resource.name), made: is_made(resource) },
            runtimes: Field::read(properties.get("CompatibleRuntimes"), Node::texts),
            architectures: Field::read(properties.get("CompatibleArchitectures"), Node::texts),
        }
    }

    /// Code that a tool has put next to the template: CDK's assets, the Serverless Framework's zip. The template says only
    /// where it will be in a bucket. `aws cloudformation package` takes a path in the place of that.
    fn staged(&self, resource: &Resource, property: &str) -> Field<PathBuf> {
        let Some(node) = resource.properties.get(property) else { return Field::Absent };
        if node.map().is_none() {
            return Field::read(Some(node), |node| self.local_path(node));
        }
        let metadata = |key: &str| resource.node.get("Metadata")?.get(key)?.text();
        let is_asset = metadata("aws:asset:property").as_deref() == Some(property);
        if let Some(path) = metadata("aws:asset:path").filter(|_| is_asset) {
            return Field::Known(self.folder.join(path), node.at.clone());
        }
        let key = node.get("S3Key").map(Node::partial_text).unwrap_or_default();
        let file = key.rsplit('/').next().unwrap_or_default();
        let names = [format!("asset.{}", file.trim_end_matches(".zip")), format!("asset.{file}"), file.to_owned()];
        let found = names.iter().map(|name| self.folder.join(name)).find(|path| !file.is_empty() && path.exists());
        match found {
            Some(path) => Field::Known(path, node.at.clone()),
            None if node.get("ZipFile").is_some() => Field::Absent,
            None => Field::Unknown(node.at.clone()),
        }
    }

    /// The Dockerfile of an image that SAM or CDK builds.
    fn dockerfile(&self, resource: &Resource) -> Option<PathBuf> {
        let metadata = |key: &str| resource.node.get("Metadata")?.get(key)?.text();
        let context = metadata("DockerContext").or_else(|| metadata("aws:asset:path"))?;
        let name = metadata("Dockerfile").or_else(|| metadata("aws:asset:dockerfile-path"));
        let path = self.folder.join(context).join(name.unwrap_or_else(|| "Dockerfile".to_owned()));
        path.is_file().then_some(path)
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
