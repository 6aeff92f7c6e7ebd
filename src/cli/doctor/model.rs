//! What a deployment is made of, in whatever language it is written. Checks read only this.

use std::path::PathBuf;

use super::node::{Field, Node, Place};
use crate::bundle::Architecture;

/// The language of the files: fixes are written in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `AWS::Serverless::*`
    #[default]
    Sam,
    /// CloudFormation alone.
    CloudFormation,
    Terraform,
}

/// Everything that the files say about functions and their front ends.
#[derive(Debug, Default)]
pub(super) struct Deployment {
    pub(super) dialect: Dialect,
    pub(super) functions: Vec<Function>,
    pub(super) web_functions: Vec<WebFunction>,
    pub(super) layers: Vec<Layer>,
    pub(super) function_urls: Vec<FunctionUrl>,
    pub(super) rest_apis: Vec<RestApi>,
    pub(super) http_apis: Vec<HttpApi>,
    pub(super) target_groups: Vec<TargetGroup>,
    /// The names of the template's parameters, or of the root module's variables.
    pub(super) parameters: Vec<String>,
    /// Host names that clients use in place of AWS's; `None` where only the deployment knows.
    pub(super) domains: Vec<Option<String>>,
}

/// A Lambda function.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
pub(super) struct Function {
    pub(super) name: String,
    pub(super) at: Place,
    /// Whether its code is a container image.
    pub(super) image: bool,
    pub(super) runtime: Field<String>,
    pub(super) handler: Field<String>,
    pub(super) code: Code,
    /// Seconds.
    pub(super) timeout: Field<u64>,
    pub(super) architecture: Field<Architecture>,
    pub(super) variables: Variables,
    pub(super) layers: Vec<LayerUse>,
    /// Whether there may be more layers than these.
    pub(super) more_layers: bool,
    pub(super) snap_start: Field<bool>,
    /// Whether it runs in a VPC.
    pub(super) in_vpc: bool,
    /// Whether a version is published, which SnapStart is for; `None` if only the deployment knows.
    pub(super) published: Option<bool>,
    /// What calls it with events that are not HTTP.
    pub(super) triggers: Vec<Trigger>,
    /// The customer-managed runtime of a function whose runtime is `custom`.
    pub(super) runtime_config: Field<RuntimeConfig>,
    /// Whether it runs on Managed Instances, which have a longer timeout.
    pub(super) managed_instances: bool,
    /// What its image is built of, if it is an image that these files build.
    pub(super) dockerfile: Option<PathBuf>,
}

/// Something that calls a function with events that are not HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) at: Place,
    /// `an SQS queue`
    pub(super) source: String,
    /// Switched off: it calls nothing now.
    pub(super) is_disabled: bool,
}

/// What `RuntimeConfig` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RuntimeConfig {
    /// The runtime's ARN, as far as it is known.
    pub(super) arn: Option<String>,
    pub(super) has_alias: bool,
}

/// A Lambda Web Function (`AWS::Serverless::WebFunction`), which is another kind of resource than a function.
#[derive(Debug)]
pub(super) struct WebFunction {
    pub(super) name: String,
    pub(super) at: Place,
    /// What shows that it is meant for Python, if something does: `Runtime: python3.13`.
    pub(super) sign: Option<String>,
}

/// The environment of a function.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    pub(super) entries: Vec<Variable>,
    /// Whether there may be more of them.
    pub(super) open: bool,
    /// Where they are written.
    pub(super) at: Option<Place>,
}

/// One environment variable.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) at: Place,
    /// `None` if only the deployment knows.
    pub(super) value: Option<String>,
}

impl Variables {
    /// Reads a map of names and values.
    pub(super) fn read(node: Option<&Node>) -> Self {
        let Some(node) = node else { return Self::default() };
        let Some(map) = node.map() else { return Self { open: true, at: Some(node.at.clone()), ..Self::default() } };
        let entries = map.entries.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| Variable {
            name: name.clone(),
            at: value.at.clone(),
            value: value.text(),
        });
        Self { entries: entries.collect(), open: map.open, at: Some(node.at.clone()) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Variable> {
        self.entries.iter().find(|variable| variable.name == name)
    }

    /// The value of a variable, with `default` for one that is not set; `None` if only the deployment knows.
    pub(super) fn value_or(&self, name: &str, default: &str) -> Option<String> {
        match self.get(name) {
            Some(variable) => variable.value.clone(),
            None if self.open => None,
            None => Some(default.to_owned()),
        }
    }
}

/// Where code is on this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    /// A folder or a zip. Absent or unknown when it is made or kept elsewhere.
    pub(super) path: Field<PathBuf>,
    /// The package that `sam build` has made of it, if it is there.
    pub(super) built: Option<PathBuf>,
    /// Whether a build step of the user's own (BuildMethod) makes something else of it.
    pub(super) made: bool,
}

/// One of a function's layers.
#[derive(Clone, Debug)]
pub(super) enum LayerUse {
    /// A layer of the same files, by name.
    Local(String),
    /// Another one, by what is known of its ARN.
    Elsewhere(String),
}

/// A layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) name: String,
    /// What it is called on AWS, as far as known.
    pub(super) called: String,
    pub(super) code: Code,
    pub(super) runtimes: Field<Vec<String>>,
    pub(super) architectures: Field<Vec<String>>,
}

/// A Function URL.
#[derive(Clone, Debug)]
pub(super) struct FunctionUrl {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) function: Option<String>,
    pub(super) invoke_mode: Field<String>,
}

/// A REST API.
#[derive(Clone, Debug)]
pub(super) struct RestApi {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) binary_types: Field<Vec<String>>,
    pub(super) methods: Vec<RestMethod>,
    /// Whether there may be more methods than these.
    pub(super) more_methods: bool,
    /// Whether SAM makes it from the functions' events.
    pub(super) implicit: bool,
}

/// A method of a REST API that calls a function.
#[derive(Clone, Debug)]
pub(super) struct RestMethod {
    pub(super) at: Place,
    pub(super) function: Option<String>,
    /// The API's own name for how responses are sent: `STREAM`, `RESPONSE_STREAM`, `BUFFERED`.
    pub(super) transfer_mode: Field<String>,
    pub(super) streams: Option<bool>,
    /// Whether the URI is that of streamed invocations.
    pub(super) streaming_uri: Option<bool>,
    /// Milliseconds.
    pub(super) timeout: Field<u64>,
}

/// An HTTP API.
#[derive(Clone, Debug)]
pub(super) struct HttpApi {
    pub(super) functions: Vec<String>,
}

/// A load balancer's group of targets, of type lambda.
#[derive(Clone, Debug)]
pub(super) struct TargetGroup {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) function: Option<String>,
    pub(super) multi_value: Field<bool>,
}

impl Deployment {
    pub(super) fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The layers of a function that these files make.
    pub(super) fn local_layers<'a>(&'a self, function: &'a Function) -> impl Iterator<Item = &'a Layer> {
        function.layers.iter().filter_map(|layer| match layer {
            LayerUse::Local(name) => self.layer(name),
            LayerUse::Elsewhere(_) => None,
        })
    }

    /// The methods that call a function, with their APIs.
    pub(super) fn rest_methods<'a>(&'a self, function: &'a str) -> impl Iterator<Item = (&'a RestApi, &'a RestMethod)> {
        let methods = self.rest_apis.iter().flat_map(|api| api.methods.iter().map(move |method| (api, method)));
        methods.filter(move |(_, method)| method.function.as_deref() == Some(function))
    }

    pub(super) fn urls<'a>(&'a self, function: &'a str) -> impl Iterator<Item = &'a FunctionUrl> {
        self.function_urls.iter().filter(move |url| url.function.as_deref() == Some(function))
    }

    pub(super) fn has_http_api(&self, function: &str) -> bool {
        self.http_apis.iter().any(|api| api.functions.iter().any(|name| name == function))
    }
}

impl Function {
    /// Whether it stands for an application without a template.
    pub(super) fn is_alone(&self) -> bool {
        self.name.is_empty()
    }

    /// `python3.13` as `13`, `provided.al2023` as none.
    pub(super) fn managed_minor(&self) -> Option<u32> {
        self.runtime.value()?.strip_prefix("python3.")?.parse().ok()
    }

    /// Whether its runtime is a customer-managed one, an image with a name of its own.
    pub(super) fn is_custom(&self) -> bool {
        self.runtime.value().is_some_and(|runtime| runtime == "custom")
    }

    pub(super) fn is_provided(&self) -> bool {
        self.runtime.value().is_some_and(|runtime| runtime.starts_with("provided"))
    }
}
