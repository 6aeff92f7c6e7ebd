//! The deployment with the files that it packages, and which of its functions are checked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::adapters;
use super::contents::Contents;
use super::model::{Deployment, Function, Layer, LayerUse};
use super::node::Field;
use super::wsgi;
use crate::bundle::Architecture;
use crate::config;

/// The variable that puts a program in the place of a managed runtime's own.
pub(super) const EXEC_WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// What checks read.
pub(super) struct Project {
    pub(super) deployment: Deployment,
    /// The folder or zip that each function's code is, by name.
    code: BTreeMap<String, Contents>,
    /// What `sam build` made of it.
    built: BTreeMap<String, Contents>,
    layers: BTreeMap<String, Contents>,
    ours: Vec<String>,
}

impl Project {
    pub(super) fn new(deployment: Deployment) -> Self {
        let mut project = Self {
            deployment,
            code: BTreeMap::new(),
            built: BTreeMap::new(),
            layers: BTreeMap::new(),
            ours: Vec::new(),
        };
        for function in &project.deployment.functions {
            // A package that is not there is made later, or elsewhere.
            if let Some(Ok(contents)) = function.code.path.value().map(|path| Contents::open(path)) {
                project.code.insert(function.name.clone(), contents);
            }
            if let Some(Ok(contents)) = function.code.built.as_deref().map(Contents::open) {
                project.built.insert(function.name.clone(), contents);
            }
        }
        for layer in &project.deployment.layers {
            let path = layer.code.built.clone().or_else(|| made_path(layer));
            if let Some(Ok(contents)) = path.as_deref().map(Contents::open) {
                project.layers.insert(layer.name.clone(), contents);
            }
        }
        project.ours = project
            .deployment
            .functions
            .iter()
            .filter(|one| project.uses_us(one))
            .map(|one| one.name.clone())
            .collect();
        project
    }

    /// An application without a template, which is meant to run on wsgi-lambda.
    pub(super) fn alone(deployment: Deployment) -> Self {
        let mut project = Self::new(deployment);
        project.ours = project.deployment.functions.iter().map(|function| function.name.clone()).collect();
        project
    }

    /// The functions that run, or are meant to run, on wsgi-lambda. Others are not checked.
    pub(super) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.deployment.functions.iter().filter(|function| self.is_ours(&function.name))
    }

    /// Whether one of its functions runs on wsgi-lambda, or was meant to.
    pub(super) fn has_something_to_check(&self) -> bool {
        !self.ours.is_empty() || self.deployment.web_functions.iter().any(|function| function.sign.is_some())
    }

    /// The functions that are not checked, each with what is known of its handler.
    pub(super) fn others(&self) -> Vec<String> {
        let others = self.deployment.functions.iter().filter(|function| !self.is_ours(&function.name));
        let described = |function: &Function| {
            let handler = function.handler.value();
            let found = handler.and_then(|handler| adapters::event_handler(self.code(function), handler));
            let adapter = function.layers.iter().any(is_web_adapter).then_some("Lambda Web Adapter");
            match adapter.or_else(|| found.and_then(|found| found.adapter)) {
                Some(adapter) => format!("{} ({adapter}: docs/migrate.md says what to change)", function.name),
                None => function.name.clone(),
            }
        };
        others.map(described).collect()
    }

    pub(super) fn is_ours(&self, function: &str) -> bool {
        self.ours.iter().any(|name| name == function)
    }

    /// A front end is checked if it calls one of these functions, or if nobody knows what it calls.
    pub(super) fn concerns<'a>(&self, callees: impl Iterator<Item = Option<&'a str>>, may_be_more: bool) -> bool {
        if self.ours.is_empty() {
            return false;
        }
        let mut callees = callees.peekable();
        match callees.peek() {
            None => may_be_more || self.ours.len() == self.deployment.functions.len(),
            Some(_) => callees.any(|callee| callee.is_none_or(|name| self.is_ours(name))),
        }
    }

    /// The code that can be started: as it is, or what the user's own build step has made of it.
    pub(super) fn code(&self, function: &Function) -> Option<&Contents> {
        let built = self.built.get(&function.name).filter(|_| function.code.made);
        built.or_else(|| self.code.get(&function.name))
    }

    /// What is uploaded: what a build has made, else the code, unless a build step will make something else of it.
    pub(super) fn package(&self, function: &Function) -> Option<&Contents> {
        let code = self.code.get(&function.name).filter(|_| !function.code.made);
        self.built.get(&function.name).or(code)
    }

    pub(super) fn layer_contents(&self, layer: &Layer) -> Option<&Contents> {
        self.layers.get(&layer.name)
    }

    /// The layer with the runtime in it, if it is made here.
    pub(super) fn runtime_layer<'a>(&'a self, function: &'a Function) -> Option<&'a Layer> {
        self.deployment.local_layers(function).find(|layer| self.has_runtime(layer))
    }

    fn has_runtime(&self, layer: &Layer) -> bool {
        let path = layer.code.path.value().map(|path| path.display().to_string()).unwrap_or_default();
        let file = path.rsplit('/').next().unwrap_or_default();
        is_named_after_us(&layer.name)
            || is_named_after_us(&layer.called)
            || is_named_after_us(file)
            || self.layer_contents(layer).is_some_and(|contents| contents.has("bootstrap"))
    }

    /// Whether one of the layers is, by what is known of it, the runtime.
    pub(super) fn has_runtime_layer(&self, function: &Function) -> bool {
        self.runtime_layer(function).is_some()
            || function.layers.iter().any(|layer| matches!(layer, LayerUse::Elsewhere(arn) if is_named_after_us(arn)))
    }

    fn uses_us(&self, function: &Function) -> bool {
        let variables = &function.variables;
        let is_wrapped = variables
            .get(EXEC_WRAPPER)
            .is_some_and(|variable| variable.value.as_deref().is_none_or(|value| value.ends_with("/bootstrap")));
        // What the variable starts then is the adapter, and that starts a server.
        let is_of_adapter = function.layers.iter().any(is_web_adapter) && !self.has_runtime_layer(function);
        if is_wrapped && !is_of_adapter
            || variables.entries.iter().any(|variable| variable.name.starts_with(config::PREFIX))
        {
            return true;
        }
        if function.image {
            return false;
        }
        let Some(handler) = function.handler.value() else { return self.has_runtime_layer(function) };
        let code = self.code(function);
        if self.has_runtime_layer(function) {
            return !is_somebody_elses(function, code, handler);
        }
        let is_application = code.is_some_and(|code| wsgi::is_application(code, handler));
        if function.is_custom() {
            let arn = function.runtime_config.value().and_then(|config| config.arn.as_deref());
            return is_application || arn.is_some_and(is_named_after_us);
        }
        if !function.is_provided() {
            return is_application;
        }
        match (code, wsgi::name(handler)) {
            (_, None) => false,
            (Some(code), Some(name)) => wsgi::has_module(code, &name),
            // The bootstrap of a runtime in another language is in its package; one in a layer serves a handler.
            (None, Some(_)) => !function.layers.is_empty() || function.more_layers,
        }
    }

    /// What is known of the layer with the runtime, from its files, else from its name.
    pub(super) fn runtime_facts(&self, function: &Function) -> Option<RuntimeFacts> {
        if let Some(layer) = self.runtime_layer(function) {
            let path = layer.code.path.value().map(|path| path.display().to_string()).unwrap_or_default();
            let file = path.rsplit('/').next().unwrap_or_default();
            let named = if is_named_after_us(file) { file } else { &layer.called };
            let facts = RuntimeFacts::by_name(&layer.name, named);
            return Some(self.layer_contents(layer).map_or(facts, |contents| RuntimeFacts::of(&layer.name, contents)));
        }
        let elsewhere = function.layers.iter().find_map(|layer| match layer {
            LayerUse::Elsewhere(arn) if is_named_after_us(arn) => Some(arn),
            _ => None,
        })?;
        Some(RuntimeFacts::by_name(elsewhere, elsewhere))
    }

    /// The minor version of Python that a function runs on: of the managed runtime, else of the layer.
    pub(super) fn python_minor(&self, function: &Function) -> Option<u32> {
        function.managed_minor().or_else(|| self.runtime_facts(function)?.minor)
    }
}

/// A layer with the runtime, as far as it is known.
pub(super) struct RuntimeFacts {
    pub(super) name: String,
    /// Of Python.
    pub(super) minor: Option<u32>,
    /// Whether it has a Python, or only the bootstrap.
    pub(super) brings_python: Option<bool>,
    pub(super) architecture: Option<Architecture>,
}

impl RuntimeFacts {
    fn of(name: &str, contents: &Contents) -> Self {
        let bootstrap = contents.elf("bootstrap");
        Self {
            name: name.to_owned(),
            minor: bootstrap.as_ref().and_then(|elf| elf.needed.iter().find_map(|library| minor_in(library))),
            brings_python: Some(contents.names().any(|name| name.starts_with("lib/libpython3"))),
            architecture: bootstrap.and_then(|elf| elf.architecture),
        }
    }

    /// `wsgi-lambda layer` puts flavour, Python and architecture into the file's name.
    fn by_name(name: &str, text: &str) -> Self {
        let minor = minor_in(text);
        let is_ours = is_named_after_us(text) && minor.is_some();
        let has = |part: &str| text.contains(part);
        let architecture = match (has("arm64") || has("aarch64"), has("x86_64")) {
            (true, false) => Some(Architecture::Arm64),
            (false, true) => Some(Architecture::X86_64),
            _ => None,
        };
        Self { name: name.to_owned(), minor, brings_python: is_ours.then(|| !has("bootstrap")), architecture }
    }
}

/// Whether a function only shares the layer, by Globals: AWS's own loop calls its handler, which was written for that.
fn is_somebody_elses(function: &Function, code: Option<&Contents>, handler: &str) -> bool {
    let is_managed = function.managed_minor().is_some() && !function.variables.open;
    let found = adapters::event_handler(code, handler);
    is_managed && found.is_some_and(|found| found.adapter.is_none())
}

/// Whether a layer is the Lambda Web Adapter, which has an `/opt/bootstrap` too.
pub(super) fn is_web_adapter(layer: &LayerUse) -> bool {
    matches!(layer, LayerUse::Elsewhere(arn) if arn.contains("LambdaAdapterLayer"))
}

/// Where a layer's files are, unless a build step makes them of something else.
fn made_path(layer: &Layer) -> Option<PathBuf> {
    match &layer.code.path {
        Field::Known(path, _) if !layer.code.made => Some(path.clone()),
        _ => None,
    }
}

pub(super) fn is_named_after_us(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.to_ascii_lowercase().contains("wsgilambda")
}

/// The `13` of `libpython3.13.so.1.0` or `wsgi-lambda-python3.13-x86_64.zip`.
fn minor_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("python3")?;
    // The name of a layer cannot have a dot.
    let rest = rest.strip_prefix(['.', '-', '_'])?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_runtime_and_its_python() {
        assert!(is_named_after_us("arn:aws:lambda:eu-west-1:1:layer:wsgi_lambda-arm64:3"));
        assert!(is_named_after_us("WsgiLambdaLayer") && !is_named_after_us("LambdaInsights"));
        assert_eq!(minor_in("libpython3.13.so.1.0"), Some(13));
        assert_eq!(minor_in("layer/dist/wsgi-lambda-bootstrap-python3.9-arm64.zip"), Some(9));
        assert_eq!(minor_in("arn:aws:lambda:eu-west-1:1:layer:wsgi-lambda-python3-13-arm64:2"), Some(13));
        assert_eq!(minor_in("layer.zip"), None);
        let facts = RuntimeFacts::by_name("", "wsgi-lambda-bootstrap-python3.13-arm64.zip");
        assert_eq!(
            (facts.minor, facts.brings_python, facts.architecture),
            (Some(13), Some(false), Some(Architecture::Arm64))
        );
        assert_eq!(RuntimeFacts::by_name("", "wsgi-lambda-python3.13-x86_64.zip").brings_python, Some(true));
        assert_eq!(RuntimeFacts::by_name("", "stack-wsgi-lambda").brings_python, None);
    }
}
