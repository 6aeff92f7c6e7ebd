//! Terraform files as the model.

use std::path::{Path, PathBuf};

use super::model::{
    Code, Deployment, Dialect, Function, FunctionUrl, HttpApi, Layer, LayerUse, RestApi, RuntimeConfig, TargetGroup,
    Variables,
};
use super::node::{Field, Node};
use super::openapi;
use crate::cli::failure::Failure;

mod module;
mod resource;
mod stack;
mod triggers;

use self::resource::Resource;
use self::stack::{Stack, block};

/// Reads the files of a root module with these values of its variables.
pub(super) fn read(folder: &Path, variables: &[(String, String)]) -> Result<Deployment, Failure> {
    let root = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let (resources, parameters) = module::resources(folder, variables)?;
    Ok(Deployment { parameters, ..Stack { root, resources }.deployment() })
}

impl Stack {
    fn deployment(&self) -> Deployment {
        let mut functions: Vec<_> = self.of_kind(&["aws_lambda_function"]).map(|one| self.read_function(one)).collect();
        triggers::assign(self, &mut functions);
        Deployment {
            dialect: Dialect::Terraform,
            functions,
            // The provider has no resource for them.
            web_functions: Vec::new(),
            layers: self.of_kind(&["aws_lambda_layer_version"]).map(|one| self.layer(one)).collect(),
            function_urls: self.of_kind(&["aws_lambda_function_url"]).map(|one| self.function_url(one)).collect(),
            rest_apis: self.of_kind(&["aws_api_gateway_rest_api"]).map(|one| self.rest_api(one)).collect(),
            http_apis: self.http_apis(),
            parameters: Vec::new(),
            target_groups: self.target_groups(),
            domains: self.domains(),
        }
    }

    fn read_function(&self, resource: &Resource) -> Function {
        let body = &resource.body;
        let text = |key: &str| Field::read(body.get(key), Node::text);
        let layers = body.get("layers");
        Function {
            name: resource.name.clone(),
            at: resource.at.clone(),
            image: text("package_type").value().is_some_and(|kind| kind == "Image"),
            runtime: text("runtime"),
            handler: text("handler"),
            code: Code { path: self.code(body.get("filename")), built: None, made: false },
            timeout: Field::read(body.get("timeout"), Node::number),
            architecture: Field::read(body.get("architectures"), |node| node.texts()?.first()?.parse().ok()),
            variables: Variables::read(block(body, "environment").and_then(|block| block.path(&["variables"]))),
            layers: layers.and_then(Node::list).unwrap_or_default().iter().map(|node| self.layer_use(node)).collect(),
            more_layers: layers.is_some_and(|node| node.list().is_none()),
            snap_start: Field::read(block(body, "snap_start").and_then(|block| block.path(&["apply_on"])), |node| {
                Some(node.text()? == "PublishedVersions")
            }),
            in_vpc: block(body, "vpc_config").is_some_and(|block| block.map().is_some()),
            published: Field::read(body.get("publish"), Node::flag).or_default(false),
            triggers: Vec::new(),
            runtime_config: Field::read(block(body, "runtime_config"), |node| {
                let arn = node.map()?.get("runtime_arn").map(Node::partial_text);
                Some(RuntimeConfig { arn, has_alias: node.get("runtime_alias").is_some() })
            }),
            managed_instances: body.get("capacity_provider_config").is_some(),
            dockerfile: None,
        }
    }

    /// Where the code is: what `archive_file` makes of a folder is that folder. Other paths are relative to where
    /// Terraform runs, the root module.
    fn code(&self, filename: Option<&Node>) -> Field<PathBuf> {
        let Some(node) = filename else { return Field::Absent };
        let archive = self.target(Some(node), "data.archive_file").map(|archive| &archive.body);
        let folder = archive.and_then(|body| body.get("source_dir")).and_then(Node::text).map(PathBuf::from);
        let file = archive.and_then(|body| body.get("source_file")).and_then(Node::text);
        let path =
            folder.or_else(|| Some(Path::new(&file?).parent()?.to_owned())).or_else(|| node.text().map(PathBuf::from));
        match path {
            Some(path) => Field::Known(self.root.join(path), node.at.clone()),
            None => Field::Unknown(node.at.clone()),
        }
    }

    fn layer_use(&self, node: &Node) -> LayerUse {
        match self.target(Some(node), "aws_lambda_layer_version") {
            Some(layer) => LayerUse::Local(layer.name.clone()),
            None => LayerUse::Elsewhere(node.partial_text()),
        }
    }

    fn layer(&self, resource: &Resource) -> Layer {
        let body = &resource.body;
        Layer {
            name: resource.name.clone(),
            called: body.get("layer_name").map(Node::partial_text).unwrap_or_default(),
            code: Code { path: self.code(body.get("filename")), built: None, made: false },
            runtimes: Field::read(body.get("compatible_runtimes"), Node::texts),
            architectures: Field::read(body.get("compatible_architectures"), Node::texts),
        }
    }

    fn function_url(&self, resource: &Resource) -> FunctionUrl {
        FunctionUrl {
            name: resource.name.clone(),
            at: resource.at.clone(),
            function: self.function(resource.body.get("function_name")),
            invoke_mode: Field::read(resource.body.get("invoke_mode"), Node::text),
        }
    }

    fn rest_api(&self, resource: &Resource) -> RestApi {
        let body = resource.body.get("body");
        let types = resource.body.get("binary_media_types");
        let document = body.map(openapi::binary_types).unwrap_or_default();
        let binary_types = if types.is_some() { Field::read(types, Node::texts) } else { document };
        let mut methods: Vec<_> =
            body.map(|body| openapi::methods(body, |uri| self.function(Some(uri)))).unwrap_or_default();
        let integrations = self.of_kind(&["aws_api_gateway_integration"]);
        let own = integrations.filter(|integration| {
            let api = self.target(integration.body.get("rest_api_id"), "aws_api_gateway_rest_api");
            api.is_some_and(|api| api.base == resource.base)
        });
        let keys = ["uri", "response_transfer_mode", "timeout_milliseconds"];
        methods.extend(own.filter_map(|integration| {
            openapi::method(&integration.body, &integration.at, keys, |uri| self.function(Some(uri)))
        }));
        RestApi {
            name: resource.name.clone(),
            at: resource.at.clone(),
            binary_types,
            methods,
            more_methods: body.is_some_and(|body| body.map().is_none()),
            implicit: false,
        }
    }

    fn http_apis(&self) -> Vec<HttpApi> {
        let integrations = self.of_kind(&["aws_apigatewayv2_integration"]);
        let integrations = integrations.filter(|one| !triggers::is_web_socket(self, one));
        let integrations = integrations.map(|one| one.body.get("integration_uri"));
        let quick = self.of_kind(&["aws_apigatewayv2_api"]).map(|one| one.body.get("target"));
        let functions = integrations.chain(quick).filter_map(|node| self.function(node));
        functions.map(|function| HttpApi { functions: vec![function] }).collect()
    }

    fn target_groups(&self) -> Vec<TargetGroup> {
        let groups = self.of_kind(&["aws_lb_target_group", "aws_alb_target_group"]);
        let of_lambda =
            groups.filter(|group| group.body.get("target_type").and_then(Node::text).as_deref() == Some("lambda"));
        of_lambda
            .map(|group| {
                let attachments = self.of_kind(&["aws_lb_target_group_attachment", "aws_alb_target_group_attachment"]);
                let mut own = attachments.filter(|attachment| {
                    let target = attachment.body.get("target_group_arn").map(Node::resources).unwrap_or_default();
                    target.contains(&group.base)
                });
                TargetGroup {
                    name: group.name.clone(),
                    at: group.at.clone(),
                    function: own.find_map(|attachment| self.function(attachment.body.get("target_id"))),
                    multi_value: Field::read(group.body.get("lambda_multi_value_headers_enabled"), Node::flag),
                }
            })
            .collect()
    }

    fn domains(&self) -> Vec<Option<String>> {
        let names = self.of_kind(&["aws_api_gateway_domain_name", "aws_apigatewayv2_domain_name"]);
        let mut domains: Vec<_> = names.map(|name| name.body.get("domain_name").and_then(Node::text)).collect();
        for distribution in self.of_kind(&["aws_cloudfront_distribution"]) {
            let aliases = distribution.body.get("aliases").and_then(Node::list).unwrap_or_default();
            domains.extend(aliases.iter().map(Node::text));
            domains.extend(aliases.is_empty().then_some(None));
        }
        domains
    }
}
