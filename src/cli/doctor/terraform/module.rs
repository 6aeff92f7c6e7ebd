//! A Terraform module: variables, locals, the modules that it calls, and its resources.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hcl::edit::Span as _;
use hcl::edit::expr::Expression;
use hcl::edit::structure::{Block, Body, Structure};

use super::resource::Resource;
use crate::cli::doctor::hcl::{File, Names, Scope};
use crate::cli::doctor::node::{Data, Map, Node, Place, items, unknown};
use crate::cli::failure::Failure;

/// How deep modules may call each other, and locals refer to each other. Terraform itself reports circles.
const MAX_DEPTH: usize = 32;

struct Module {
    root: PathBuf,
    folder: PathBuf,
    /// `module.api.` for the resources of a module that is called `api`.
    prefix: String,
    files: Vec<File>,
    variables: BTreeMap<String, Node>,
    /// The outputs of called modules.
    children: BTreeMap<String, Map>,
    depth: Cell<usize>,
}

/// Every resource of a root module and of the modules below it.
pub(super) fn resources(folder: &Path, given: &[(String, String)]) -> Result<(Vec<Resource>, Vec<String>), Failure> {
    let mut module = Module::parse(folder, folder, String::new())?;
    let mut values = module.settings()?;
    for (name, value) in given {
        let at = Place { file: folder.into(), line: 1 };
        values.set(name, Node::text_at(&at, value));
    }
    module.set_variables(&values);
    let mut found = Vec::new();
    module.collect(&mut found, 0)?;
    Ok((found, module.variables.into_keys().collect()))
}

impl Module {
    fn parse(root: &Path, folder: &Path, prefix: String) -> Result<Self, Failure> {
        let files = with_ending(folder, ".tf")?.iter().map(|path| File::parse(path)).collect::<Result<_, _>>()?;
        Ok(Self {
            root: root.to_owned(),
            folder: folder.to_owned(),
            prefix,
            files,
            variables: BTreeMap::new(),
            children: BTreeMap::new(),
            depth: Cell::new(0),
        })
    }

    /// The values of `terraform.tfvars` and `*.auto.tfvars`, which Terraform reads by itself.
    fn settings(&self) -> Result<Map, Failure> {
        let mut values = Map::default();
        let files = with_ending(&self.folder, ".tfvars")?;
        let is_read = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name == "terraform.tfvars" || name.ends_with(".auto.tfvars")
        };
        for path in files.iter().filter(is_read) {
            let file = File::parse(path)?;
            let scope = Scope { file: &file, names: self, bound: Vec::new() };
            for attribute in file.body.attributes() {
                values.set(attribute.key.as_str(), scope.value(&attribute.value));
            }
        }
        Ok(values)
    }

    fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (Scope<'a>, &'a Block)> {
        self.files.iter().flat_map(move |file| {
            let scope = Scope { file, names: self, bound: Vec::new() };
            file.body.get_blocks(kind).map(move |block| (scope.clone(), block))
        })
    }

    /// Sets the variables to these values, or else to their defaults.
    fn set_variables(&mut self, given: &Map) {
        let mut variables = BTreeMap::new();
        for (scope, block) in self.blocks("variable") {
            let Some(name) = block.labels.first() else { continue };
            let at = scope.file.place(block.ident.span());
            let default = block.body.get_attribute("default").map(|attribute| scope.value(&attribute.value));
            let value = given.get(name.as_str()).cloned().or(default);
            let value = value.unwrap_or_else(|| Node::later(&at, format!("${{var.{}}}", name.as_str()), Vec::new()));
            variables.insert(name.as_str().to_owned(), value);
        }
        self.variables = variables;
    }

    fn collect(&mut self, found: &mut Vec<Resource>, depth: usize) -> Result<(), Failure> {
        let calls: Vec<_> =
            self.blocks("module").filter_map(|(_, block)| Some(block.labels.first()?.as_str().to_owned())).collect();
        for name in calls.iter().filter(|_| depth < MAX_DEPTH) {
            if let Some(mut child) = self.child(name)? {
                child.collect(found, depth + 1)?;
                let outputs = child.outputs();
                self.children.insert(name.clone(), outputs);
            }
        }
        for (scope, block) in self.blocks("resource") {
            found.extend(self.instances(&scope, block, ""));
        }
        for (scope, block) in self.blocks("data") {
            found.extend(self.instances(&scope, block, "data."));
        }
        Ok(())
    }

    /// A called module, if its source is a folder here.
    fn child(&self, name: &str) -> Result<Option<Self>, Failure> {
        let Some((scope, block)) =
            self.blocks("module").find(|(_, block)| block.labels.first().is_some_and(|label| label.as_str() == name))
        else {
            return Ok(None);
        };
        let Data::Map(arguments) = body(&scope, &block.body, &scope.file.place(block.ident.span())).data else {
            return Ok(None);
        };
        let is_made = |key: &str| arguments.get(key).and_then(Node::number) != Some(0);
        let prefix = format!("{}module.{name}.", self.prefix);
        let source = arguments.get("source").and_then(Node::text).filter(|_| is_made("count"));
        let folder = match source {
            Some(source) if source.starts_with('.') => Some(self.folder.join(source)),
            Some(_) => installed(&self.root, &prefix),
            None => None,
        };
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else { return Ok(None) };
        let mut child = Self::parse(&self.root, &tidy(&folder), prefix)?;
        child.set_variables(&arguments);
        Ok(Some(child))
    }

    fn outputs(&self) -> Map {
        let mut outputs = Map::default();
        for (scope, block) in self.blocks("output") {
            if let (Some(name), Some(value)) = (block.labels.first(), block.body.get_attribute("value")) {
                outputs.set(name.as_str(), scope.value(&value.value));
            }
        }
        outputs
    }

    /// The resources that a block makes: one, none for `count = 0`, one for each of `for_each`.
    fn instances(&self, scope: &Scope<'_>, block: &Block, prefix: &str) -> Vec<Resource> {
        let [kind, name] = block.labels.as_slice() else { return Vec::new() };
        let at = scope.file.place(block.ident.span());
        let base = format!("{}{prefix}{}.{}", self.prefix, kind.as_str(), name.as_str());
        let make = |scope: &Scope<'_>, suffix: &str| Resource {
            base: base.clone(),
            name: format!("{base}{suffix}"),
            kind: format!("{prefix}{}", kind.as_str()),
            at: at.clone(),
            body: body(scope, &block.body, &at),
        };
        if let Some(count) = block.body.get_attribute("count") {
            let index = Node::new(
                &at,
                Data::Map(Map { entries: vec![("index".to_owned(), Node::new(&at, Data::Number(0.0)))], open: false }),
            );
            let none = scope.value(&count.value).number() == Some(0);
            return if none { Vec::new() } else { vec![make(&scope.with("count", index), "")] };
        }
        let Some(each) = block.body.get_attribute("for_each") else { return vec![make(scope, "")] };
        let collection = scope.value(&each.value);
        let Some(items) = items(&collection) else {
            return vec![make(&scope.with("each", unknown(&at, collection.resources())), "")];
        };
        let is_set = collection.list().is_some();
        let instance = |(key, value): (String, Node)| {
            let key = if is_set { value.text().unwrap_or(key) } else { key };
            make(&scope.with("each", pair(&key, value)), &format!("[\"{key}\"]"))
        };
        items.into_iter().map(instance).collect()
    }
}

impl Names for Module {
    fn named(&self, root: &str, name: &str, at: &Place) -> Option<Node> {
        let missing = || Node::later(at, format!("${{{root}.{name}}}"), Vec::new());
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let node = match root {
            "var" => self.variables.get(name).cloned().unwrap_or_else(missing),
            "local" => self.local(name).unwrap_or_else(missing),
            "module" => match self.children.get(name) {
                Some(outputs) => Node::new(at, Data::Map(outputs.clone())),
                None => missing(),
            },
            "path" => match name {
                "module" => Node::text_at(at, tidy(&absolute(&self.folder)).display().to_string()),
                _ => Node::text_at(at, tidy(&absolute(&self.root)).display().to_string()),
            },
            "each" | "count" | "self" | "terraform" => missing(),
            _ => return None,
        };
        Some(node)
    }

    fn resource(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Module {
    fn local(&self, name: &str) -> Option<Node> {
        let find = |(scope, block): (Scope<'_>, &Block)| -> Option<Node> {
            let attribute = block.body.get_attribute(name)?;
            Some(self.deeper(|| scope.value(&attribute.value)))?
        };
        self.blocks("locals").find_map(find)
    }

    fn deeper<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.depth.get() >= MAX_DEPTH {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let result = work();
        self.depth.set(self.depth.get() - 1);
        Some(result)
    }
}

/// A block as a map: attributes by name, blocks as lists under theirs.
fn body(scope: &Scope<'_>, body: &Body, at: &Place) -> Node {
    let mut map = Map::default();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                let place = scope.file.place(attribute.key.span());
                map.set(attribute.key.as_str(), Node { at: place, data: attribute_value(scope, &attribute.value) });
            }
            Structure::Block(block) => nested(scope, block, &mut map),
        }
    }
    Node::new(at, Data::Map(map))
}

fn attribute_value(scope: &Scope<'_>, expression: &Expression) -> Data {
    scope.value(expression).data
}

fn nested(scope: &Scope<'_>, block: &Block, map: &mut Map) {
    let at = scope.file.place(block.ident.span());
    let (name, made) = match block.labels.first() {
        Some(label) if block.ident.as_str() == "dynamic" => {
            (label.as_str(), dynamic(scope, block, label.as_str(), &at))
        }
        _ => (block.ident.as_str(), Some(vec![body(scope, &block.body, &at)])),
    };
    let node = match (made, map.get(name).map(|node| &node.data)) {
        (Some(made), Some(Data::List(before))) => Node::new(&at, Data::List([before.as_slice(), &made].concat())),
        (Some(made), _) => Node::new(&at, Data::List(made)),
        (None, _) => unknown(&at, Vec::new()),
    };
    map.set(name, node);
}

/// The blocks that a `dynamic` block makes; `None` if only the deployment knows how many.
fn dynamic(scope: &Scope<'_>, block: &Block, name: &str, at: &Place) -> Option<Vec<Node>> {
    let collection = scope.value(&block.body.get_attribute("for_each")?.value);
    let content = block.body.get_blocks("content").next()?;
    let iterator = block.body.get_attribute("iterator").map(|attribute| attribute.value.to_string());
    let name = iterator.as_deref().map_or(name, str::trim);
    let make = |(key, value): (String, Node)| body(&scope.with(name, pair(&key, value)), &content.body, at);
    Some(items(&collection)?.into_iter().map(make).collect())
}

/// `each`, or the iterator of a dynamic block.
fn pair(key: &str, value: Node) -> Node {
    let at = value.at.clone();
    let entries = vec![("key".to_owned(), Node::text_at(&at, key)), ("value".to_owned(), value)];
    Node::new(&at, Data::Map(Map { entries, open: false }))
}

fn with_ending(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::Usage(format!("cannot read {}: {error}", folder.display()));
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending))
        .map(|path| tidy(&path))
        .collect();
    files.sort();
    Ok(files)
}

/// The folder in which `terraform init` has put a module from elsewhere, by the list that it writes.
fn installed(root: &Path, prefix: &str) -> Option<PathBuf> {
    // `module.a.module.b.` is `a.b` there.
    let key = prefix.trim_end_matches('.').trim_start_matches("module.").replace(".module.", ".");
    let manifest = std::fs::read(root.join(".terraform/modules/modules.json")).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
    let module =
        manifest.get("Modules")?.as_array()?.iter().find(|module| module.get("Key").is_some_and(|it| *it == *key))?;
    Some(root.join(module.get("Dir")?.as_str()?))
}

/// A path without `.` and, as far as no link has to be followed, without `..`.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidy.components().next_back(), Some(Component::Normal(_))) => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}
