//! CloudFormation's functions, as far as they can be evaluated before the deployment. Nothing is added here: see
//! `doctor/mod.rs`.

use std::collections::BTreeMap;

use super::node::{Data, Map, Node, concat};

/// How deep conditions and values may refer to each other. CloudFormation itself reports circles.
const MAX_DEPTH: usize = 64;

/// The sections of a template that its functions read.
pub(super) struct Resolver<'a> {
    template: &'a Node,
    parameters: BTreeMap<&'a str, Node>,
}

impl<'a> Resolver<'a> {
    /// Parameters have the values given on the command line, else their defaults.
    pub(super) fn new(template: &'a Node, given: &[(String, String)]) -> Self {
        let declared = template.get("Parameters").and_then(Node::map).map(|map| map.entries.as_slice());
        let mut parameters = BTreeMap::new();
        for (name, declaration) in declared.unwrap_or_default() {
            let at = &declaration.at;
            let given = given.iter().rev().find(|(key, _)| key == name).map(|(_, value)| Node::text_at(at, value));
            let value = given.or_else(|| declaration.get("Default").cloned());
            // `AWS::SSM::Parameter::Value<…>`: what is written is the name of the value.
            let kind = declaration.get("Type").and_then(Node::text).unwrap_or_default();
            let value = value.filter(|_| !kind.starts_with("AWS::SSM::"));
            let value = match value {
                Some(value) if kind == "CommaDelimitedList" || kind.starts_with("List<") => split(&value),
                Some(value) => value,
                None => Node::later(at, format!("${{{name}}}"), Vec::new()),
            };
            parameters.insert(name.as_str(), value);
        }
        Self { template, parameters }
    }

    /// A value with its functions evaluated.
    pub(super) fn resolve(&self, node: &Node) -> Node {
        self.at_depth(node, 0)
    }

    /// Whether a condition holds; `None` if only the deployment knows.
    pub(super) fn condition(&self, name: &str) -> Option<bool> {
        self.named_condition(name, 0)
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Node {
        if depth > MAX_DEPTH {
            return Node::later(&node.at, "", Vec::new());
        }
        match &node.data {
            Data::List(items) => {
                let items = items.iter().map(|item| self.at_depth(item, depth + 1));
                Node::new(&node.at, Data::List(items.filter(|item| !item.is_null()).collect()))
            }
            Data::Map(map) => {
                if let Some((name, argument)) = function(map) {
                    let value = self.call(name, argument, depth + 1);
                    return Node { at: node.at.clone(), data: value.data };
                }
                let entries = map.entries.iter().map(|(key, value)| (key.clone(), self.at_depth(value, depth + 1)));
                Node::new(&node.at, Data::Map(Map { entries: entries.collect(), open: false }))
            }
            _ => node.clone(),
        }
    }

    fn call(&self, name: &str, argument: &Node, depth: usize) -> Node {
        let known = match name {
            "Ref" => argument.text().map(|name| self.reference(&name, argument)),
            "Fn::GetAtt" => get_att(argument),
            "Fn::Sub" => self.sub(argument, depth),
            "Fn::If" => self.choice(argument, depth),
            "Fn::Join" => self.join(argument, depth),
            "Fn::FindInMap" => self.find_in_map(argument, depth),
            "Fn::Select" => self.select(argument, depth),
            "Fn::Split" => self.split_call(argument, depth),
            _ => None,
        };
        known.unwrap_or_else(|| {
            // The resources that it is made of are known all the same.
            let resolved = self.at_depth(argument, depth);
            Node::later(&argument.at, format!("${{{name}}}"), resolved.resources())
        })
    }

    fn reference(&self, name: &str, at: &Node) -> Node {
        if name == "AWS::NoValue" {
            return Node::new(&at.at, Data::Null);
        }
        if let Some(value) = self.parameters.get(name) {
            return Node { at: at.at.clone(), data: value.data.clone() };
        }
        let resources = if name.starts_with("AWS::") { Vec::new() } else { vec![name.to_owned()] };
        Node::later(&at.at, format!("${{{name}}}"), resources)
    }

    /// `!Sub text` or `!Sub [text, {Name: value}]`.
    fn sub(&self, argument: &Node, depth: usize) -> Option<Node> {
        let (text, names) = match argument.list() {
            Some([text, names]) => (text.text()?, Some(self.at_depth(names, depth))),
            Some(_) => return None,
            None => (argument.text()?, None),
        };
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, inside)) = rest.split_once("${") {
            parts.push(Node::text_at(&argument.at, before));
            let (name, after) = inside.split_once('}')?;
            parts.push(match name.strip_prefix('!') {
                Some(literal) => Node::text_at(&argument.at, format!("${{{literal}}}")),
                None => self.placeholder(name.trim(), names.as_ref(), argument),
            });
            rest = after;
        }
        parts.push(Node::text_at(&argument.at, rest));
        Some(concat(&parts, "", argument))
    }

    fn placeholder(&self, name: &str, names: Option<&Node>, at: &Node) -> Node {
        if let Some(value) = names.and_then(|names| names.get(name)) {
            return value.clone();
        }
        match name.split_once('.') {
            Some((resource, _)) => Node::later(&at.at, format!("${{{name}}}"), vec![resource.to_owned()]),
            None => self.reference(name, at),
        }
    }

    fn choice(&self, argument: &Node, depth: usize) -> Option<Node> {
        let [condition, yes, no] = argument.list()? else { return None };
        let chosen = if self.named_condition(&condition.text()?, depth)? { yes } else { no };
        Some(self.at_depth(chosen, depth))
    }

    fn join(&self, argument: &Node, depth: usize) -> Option<Node> {
        let [between, items] = argument.list()? else { return None };
        let items = self.at_depth(items, depth);
        Some(concat(items.list()?, &between.text()?, argument))
    }

    fn find_in_map(&self, argument: &Node, depth: usize) -> Option<Node> {
        let argument = self.at_depth(argument, depth);
        let [map, first, second, ..] = argument.list()? else { return None };
        let map = self.template.get("Mappings")?.get(&map.text()?)?;
        map.get(&first.text()?)?.get(&second.text()?).cloned()
    }

    fn select(&self, argument: &Node, depth: usize) -> Option<Node> {
        let argument = self.at_depth(argument, depth);
        let [index, items] = argument.list()? else { return None };
        items.list()?.get(usize::try_from(index.number()?).ok()?).cloned()
    }

    fn split_call(&self, argument: &Node, depth: usize) -> Option<Node> {
        let argument = self.at_depth(argument, depth);
        let [at, text] = argument.list()? else { return None };
        let (at, text) = (at.text()?, text.text()?);
        let items = text.split(&at).map(|part| Node::text_at(&argument.at, part));
        Some(Node::new(&argument.at, Data::List(items.collect())))
    }

    fn named_condition(&self, name: &str, depth: usize) -> Option<bool> {
        let condition = self.template.get("Conditions")?.get(name)?;
        if depth > MAX_DEPTH { None } else { self.holds(condition, depth + 1) }
    }

    fn holds(&self, node: &Node, depth: usize) -> Option<bool> {
        let (name, argument) = function(node.map()?)?;
        let all = || argument.list().unwrap_or_default().iter().map(|item| self.holds(item, depth));
        match name {
            "Condition" => self.named_condition(&argument.text()?, depth),
            "Fn::Equals" => {
                let sides = self.at_depth(argument, depth);
                let [left, right] = sides.list()? else { return None };
                Some(left.text()? == right.text()?)
            }
            "Fn::Not" => Some(!all().next()??),
            "Fn::And" if all().any(|one| one == Some(false)) => Some(false),
            "Fn::And" => all().all(|one| one == Some(true)).then_some(true),
            "Fn::Or" if all().any(|one| one == Some(true)) => Some(true),
            "Fn::Or" => all().all(|one| one == Some(false)).then_some(false),
            _ => None,
        }
    }
}

/// A map that is the call of a function: `{"Ref": …}`, `{"Fn::Sub": …}`.
pub(super) fn function(map: &Map) -> Option<(&str, &Node)> {
    let [(name, argument)] = map.entries.as_slice() else { return None };
    // `Condition: {"Fn::Equals": …}` inside of an IAM policy is no function; there the argument is a map.
    let is_call = name == "Ref" || name.starts_with("Fn::") || name == "Condition" && argument.text().is_some();
    is_call.then_some((name, argument))
}

fn get_att(argument: &Node) -> Option<Node> {
    let name = match argument.list() {
        Some(parts) => parts.iter().map(Node::text).collect::<Option<Vec<_>>>()?.join("."),
        None => argument.text()?,
    };
    let resource = name.split('.').next()?.to_owned();
    Some(Node::later(&argument.at, format!("${{{name}}}"), vec![resource]))
}

fn split(value: &Node) -> Node {
    let text = value.text().unwrap_or_default();
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Node::new(&value.at, Data::List(items.map(|item| Node::text_at(&value.at, item)).collect()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::doctor::yaml;

    const TEMPLATE: &str = r#"
Parameters:
  Stage: {Type: String, Default: prod}
  Size: {Type: Number, Default: 512}
  Subnets: {Type: CommaDelimitedList, Default: "a, b"}
  Secret: {Type: String}
  FromStore: {Type: "AWS::SSM::Parameter::Value<String>", Default: /name}
Mappings:
  Settings: {prod: {Level: INFO}, dev: {Level: DEBUG}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsSecret: !Equals [!Ref Secret, x]
  NotProd: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Condition IsSecret]
  Both: !And [!Condition NotProd, !Condition IsSecret]
  Circle: !Not [!Condition Circle]
"#;

    /// The value of an expression, as text with what is unknown in braces.
    fn value(expression: &str, given: &[(&str, &str)]) -> String {
        let text = format!("{TEMPLATE}\nValue: {expression}\n");
        let template = yaml::parse(&text, Path::new("t.yaml")).unwrap();
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let value = Resolver::new(&template, &given).resolve(template.get("Value").unwrap());
        match &value.data {
            Data::List(items) => items.iter().map(Node::partial_text).collect::<Vec<_>>().join("|"),
            Data::Null => "null".to_owned(),
            _ => value.partial_text(),
        }
    }

    #[test]
    fn functions_are_worked_out_as_far_as_parameters_are_known() {
        for (expression, expected) in [
            ("!Ref Stage", "prod"),
            ("!Ref Size", "512"),
            ("!Ref Subnets", "a|b"),
            ("!Ref Secret", "${Secret}"),
            ("!Ref FromStore", "${FromStore}"),
            ("!Ref AWS::NoValue", "null"),
            ("!GetAtt App.Arn", "${App.Arn}"),
            ("{\"Fn::GetAtt\": [App, Arn]}", "${App.Arn}"),
            ("!Sub 'x-${Stage}-${!Literal}'", "x-prod-${Literal}"),
            ("!Sub ['${A}-${App.Arn}', {A: !Ref Size}]", "512-${App.Arn}"),
            ("!Join [':', [a, !Ref Stage]]", "a:prod"),
            ("!If [IsProd, yes it is, no]", "yes it is"),
            ("!If [IsSecret, a, b]", "${Fn::If}"),
            ("[a, !If [NotProd, b, !Ref 'AWS::NoValue'], c]", "a|c"),
            ("!FindInMap [Settings, !Ref Stage, Level]", "INFO"),
            ("!Select [1, !Ref Subnets]", "b"),
            ("!Select [0, !Split ['.', x.y]]", "x"),
            ("!ImportValue other", "${Fn::ImportValue}"),
        ] {
            assert_eq!(value(expression, &[]), expected, "{expression}");
        }
        assert_eq!(value("!If [IsProd, a, b]", &[("Stage", "dev")]), "b");
        assert_eq!(value("!FindInMap [Settings, !Ref Stage, Level]", &[("Stage", "dev")]), "DEBUG");
    }

    #[test]
    fn conditions_have_three_values() {
        let template = yaml::parse(TEMPLATE, Path::new("t.yaml")).unwrap();
        let resolver = Resolver::new(&template, &[]);
        for (name, expected) in [
            ("IsProd", Some(true)),
            ("NotProd", Some(false)),
            ("IsSecret", None),
            ("Either", Some(true)),
            ("Both", Some(false)),
            ("Circle", None),
            ("Nowhere", None),
        ] {
            assert_eq!(resolver.condition(name), expected, "{name}");
        }
    }

    #[test]
    fn the_resources_of_a_value_are_known_all_the_same() {
        let text = format!("{TEMPLATE}\nValue: !Join ['', [!Ref A, !If [IsSecret, !Ref B, !Sub '${{C.Arn}}']]]\n");
        let template = yaml::parse(&text, Path::new("t.yaml")).unwrap();
        let value = Resolver::new(&template, &[]).resolve(template.get("Value").unwrap());
        assert_eq!(value.resources(), ["A", "B", "C"]);
    }
}
