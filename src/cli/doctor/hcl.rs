//! Terraform's expressions, as far as they can be evaluated before the deployment. Nothing is added here: see
//! `doctor/mod.rs`.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use hcl::edit::Span;
use hcl::edit::expr::{Expression, ForExpr, FuncCall, ObjectKey, Traversal, TraversalOperator};
use hcl::edit::parser::parse_body;
use hcl::edit::structure::Body;
use hcl::edit::template::Element;

use super::node::{Data, Map, Node, Place, concat, items, unknown};
use crate::cli::failure::Failure;

mod functions;
mod operators;

/// One file, parsed.
pub(super) struct File {
    path: Arc<Path>,
    /// Where each line begins.
    lines: Vec<usize>,
    pub(super) body: Body,
}

impl File {
    pub(super) fn parse(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", path.display())))?;
        let body = parse_body(&text).map_err(|error| {
            let (line, column) = (error.location().line(), error.location().column());
            Failure::Failed(format!("{}:{line}:{column}: not HCL: {}", path.display(), error.message()))
        })?;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Ok(Self { path: Arc::from(path), lines, body })
    }

    pub(super) fn place(&self, span: Option<Range<usize>>) -> Place {
        let start = span.map_or(0, |span| span.start);
        Place { file: Arc::clone(&self.path), line: self.lines.partition_point(|line| *line <= start).max(1) }
    }
}

/// The values of names in a module.
pub(super) trait Names {
    /// `var.x`, `local.x`, `module.x`, `path.x`; `None` for a resource's type and name.
    fn named(&self, root: &str, name: &str, at: &Place) -> Option<Node>;

    /// The name of a resource as the model has it.
    fn resource(&self, name: &str) -> String;
}

/// What an expression can see.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) file: &'a File,
    pub(super) names: &'a dyn Names,
    /// `each`, `count`, and the variables of `for` expressions.
    pub(super) bound: Vec<(String, Node)>,
}

impl Scope<'_> {
    pub(super) fn with(&self, name: &str, value: Node) -> Self {
        let mut scope = self.clone();
        scope.bound.push((name.to_owned(), value));
        scope
    }

    /// The value of an expression.
    pub(super) fn value(&self, expression: &Expression) -> Node {
        let at = self.file.place(expression.span());
        match expression {
            Expression::Null(_) => Node::new(&at, Data::Null),
            Expression::Bool(flag) => Node::new(&at, Data::Bool(**flag)),
            Expression::Number(number) => match number.as_f64() {
                Some(number) => Node::new(&at, Data::Number(number)),
                None => unknown(&at, Vec::new()),
            },
            Expression::String(text) => Node::text_at(&at, text.as_str()),
            Expression::Array(items) => Node::new(&at, Data::List(items.iter().map(|item| self.value(item)).collect())),
            Expression::Object(object) => {
                let entries = object.iter().map(|(key, value)| self.entry(key, value.expr()));
                let (entries, open) = closed(entries.collect());
                Node::new(&at, Data::Map(Map { entries, open }))
            }
            Expression::StringTemplate(template) => self.template(&mut template.iter(), &at),
            Expression::HeredocTemplate(heredoc) => self.template(&mut heredoc.template.iter(), &at),
            Expression::Parenthesis(inner) => self.value(inner.inner()),
            Expression::Variable(name) => self.lookup(name.as_str()).unwrap_or_else(|| unknown(&at, Vec::new())),
            Expression::Conditional(choice) => self.conditional(choice, &at),
            Expression::FuncCall(call) => self.call(call, &at),
            Expression::Traversal(traversal) => self.traversal(traversal, &at),
            Expression::UnaryOp(operation) => operators::unary(*operation.operator, &self.value(&operation.expr), &at),
            Expression::BinaryOp(operation) => {
                let (left, right) = (self.value(&operation.lhs_expr), self.value(&operation.rhs_expr));
                operators::binary(*operation.operator, &left, &right, &at)
            }
            Expression::ForExpr(expression) => self.for_each(expression, &at),
        }
    }

    fn call(&self, call: &FuncCall, at: &Place) -> Node {
        let arguments = self.arguments(call);
        let name = if call.name.is_namespaced() { "" } else { call.name.name.as_str() };
        let known = arguments.as_ref().and_then(|arguments| functions::apply(name, arguments, at));
        known.unwrap_or_else(|| unknown(at, arguments.unwrap_or_default().iter().flat_map(Node::resources).collect()))
    }

    /// The arguments; `f(list...)` passes each item of the list.
    fn arguments(&self, call: &FuncCall) -> Option<Vec<Node>> {
        let mut arguments: Vec<_> = call.args.iter().map(|argument| self.value(argument)).collect();
        if call.args.expand_final() {
            let last = arguments.pop()?;
            arguments.extend(items(&last)?.into_iter().map(|(_, item)| item));
        }
        Some(arguments)
    }

    fn lookup(&self, name: &str) -> Option<Node> {
        self.bound.iter().rev().find(|(bound, _)| bound == name).map(|(_, node)| node.clone())
    }

    /// An entry has its key's place. The name is `None` if it is not known.
    fn entry(&self, key: &ObjectKey, value: &Expression) -> (Option<String>, Node) {
        let (name, span) = match key {
            // A variable as a key is its name (HCL, "Collection Values").
            ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => {
                (Some(name.as_str().to_owned()), name.span())
            }
            ObjectKey::Expression(expression) => (self.value(expression).text(), expression.span()),
        };
        let data = self.value(value).data;
        (name, Node { at: self.file.place(span), data })
    }

    fn template(&self, elements: &mut dyn Iterator<Item = &Element>, at: &Place) -> Node {
        let mut parts: Vec<_> = elements
            .map(|element| match element {
                Element::Literal(text) => Node::text_at(at, text.as_str()),
                Element::Interpolation(part) => self.value(&part.expr),
                Element::Directive(_) => unknown(at, Vec::new()),
            })
            .collect();
        match parts.len() {
            // "${x}" alone is x, whatever that is.
            1 => parts.remove(0),
            _ => concat(&parts, "", &Node::new(at, Data::Null)),
        }
    }

    fn conditional(&self, choice: &hcl::edit::expr::Conditional, at: &Place) -> Node {
        match self.value(&choice.cond_expr).flag() {
            Some(true) => self.value(&choice.true_expr),
            Some(false) => self.value(&choice.false_expr),
            None => {
                unknown(at, [&choice.true_expr, &choice.false_expr].map(|one| self.value(one).resources()).concat())
            }
        }
    }

    fn traversal(&self, traversal: &Traversal, at: &Place) -> Node {
        let operators: Vec<&TraversalOperator> = traversal.operators.iter().map(|operator| &**operator).collect();
        let Expression::Variable(root) = &traversal.expr else {
            return self.follow(self.value(&traversal.expr), &operators, at);
        };
        if let Some(node) = self.lookup(root.as_str()) {
            return self.follow(node, &operators, at);
        }
        let names: Vec<&str> = operators.iter().map_while(|operator| attribute(operator)).collect();
        if let Some(first) = names.first()
            && let Some(node) = self.names.named(root.as_str(), first, at)
        {
            return self.follow(node, &operators[1..], at);
        }
        let parts = if root.as_str() == "data" { 2 } else { 1 };
        let resource =
            std::iter::once(root.as_str()).chain(names.iter().take(parts).copied()).collect::<Vec<_>>().join(".");
        let attributes = operators.iter().filter_map(|operator| attribute(operator)).collect::<Vec<_>>().join(".");
        Node::later(at, format!("${{{}.{attributes}}}", root.as_str()), vec![self.names.resource(&resource)])
    }

    /// Goes from a value into its parts.
    fn follow(&self, node: Node, operators: &[&TraversalOperator], at: &Place) -> Node {
        let Some((first, rest)) = operators.split_first() else { return node };
        let inner = match (&node.data, first) {
            (Data::Later(_), _) => return Node { at: at.clone(), ..node },
            // An error in Terraform, which `try` catches.
            (Data::Null, _) => return Node::new(at, Data::Null),
            (Data::Map(map), operator) => {
                let key = match operator {
                    TraversalOperator::Index(index) => self.value(index).text(),
                    operator => attribute(operator).map(str::to_owned),
                };
                let Some(key) = key else { return unknown(at, node.resources()) };
                match map.get(&key) {
                    Some(node) => node.clone(),
                    None if map.open => unknown(at, Vec::new()),
                    None => Node::new(at, Data::Null),
                }
            }
            (Data::List(items), TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_)) => {
                let items = items.iter().map(|item| self.follow(item.clone(), rest, at)).collect();
                return Node::new(at, Data::List(items));
            }
            (Data::List(items), operator) => {
                let index = match operator {
                    TraversalOperator::Index(index) => self.value(index).number(),
                    TraversalOperator::LegacyIndex(index) => Some(**index),
                    _ => None,
                };
                let item = index.and_then(|index| items.get(usize::try_from(index).ok()?));
                item.cloned().unwrap_or_else(|| unknown(at, Vec::new()))
            }
            _ => unknown(at, Vec::new()),
        };
        self.follow(inner, rest, at)
    }

    fn for_each(&self, expression: &ForExpr, at: &Place) -> Node {
        let collection = self.value(&expression.intro.collection_expr);
        let Some(items) = items(&collection) else { return unknown(at, collection.resources()) };
        let mut entries = Vec::new();
        for (key, value) in items {
            let mut scope = self.with(expression.intro.value_var.as_str(), value);
            if let Some(name) = &expression.intro.key_var {
                scope = scope.with(name.as_str(), Node::text_at(at, key));
            }
            match expression.cond.as_ref().map(|condition| scope.value(&condition.expr).flag()) {
                None | Some(Some(true)) => {}
                Some(Some(false)) => continue,
                Some(None) => return unknown(at, collection.resources()),
            }
            let key = expression.key_expr.as_ref().map(|key| scope.value(key).text());
            entries.push((key, scope.value(&expression.value_expr)));
        }
        if expression.key_expr.is_none() {
            return Node::new(at, Data::List(entries.into_iter().map(|(_, node)| node).collect()));
        }
        let (entries, open) = closed(entries.into_iter().map(|(key, node)| (key.flatten(), node)).collect());
        Node::new(at, Data::Map(Map { entries, open: open || expression.grouping }))
    }
}

fn attribute(operator: &TraversalOperator) -> Option<&str> {
    match operator {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

/// The entries whose names are known, and whether there are others.
fn closed(entries: Vec<(Option<String>, Node)>) -> (Vec<(String, Node)>, bool) {
    let all = entries.len();
    let known: Vec<_> = entries.into_iter().filter_map(|(name, node)| Some((name?, node))).collect();
    let open = known.len() < all;
    (known, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Variables;

    impl Names for Variables {
        fn named(&self, root: &str, name: &str, at: &Place) -> Option<Node> {
            let text = |text: &str| Some(Node::text_at(at, text));
            match (root, name) {
                ("var", "name") => text("shop"),
                ("var", "none") => Some(Node::new(at, Data::Null)),
                ("var", _) => Some(unknown(at, Vec::new())),
                _ => None,
            }
        }

        fn resource(&self, name: &str) -> String {
            format!("module.m.{name}")
        }
    }

    /// The value of an expression as text; `?` for what is not known, with the resources that it comes from.
    fn value(expression: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tf");
        std::fs::write(&path, format!("x = {expression}\n")).unwrap();
        let file = File::parse(&path).unwrap();
        let scope = Scope { file: &file, names: &Variables, bound: Vec::new() };
        shown(&scope.value(&file.body.get_attribute("x").unwrap().value))
    }

    fn shown(node: &Node) -> String {
        match &node.data {
            Data::Null => "null".to_owned(),
            Data::Later(later) => format!("?{}", later.resources.join("+")),
            Data::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Data::Map(map) => {
                let entries = map.entries.iter().map(|(key, node)| format!("{key}:{}", shown(node)));
                let open = map.open.then(|| "…".to_owned());
                format!("{{{}}}", entries.chain(open).collect::<Vec<_>>().join(" "))
            }
            _ => node.text().unwrap(),
        }
    }

    #[test]
    fn expressions_are_worked_out_as_far_as_variables_are_known() {
        for (expression, expected) in [
            ("\"a-${var.name}-b\"", "a-shop-b"),
            ("\"${var.name}\"", "shop"),
            ("var.secret", "?"),
            ("var.name == \"shop\" ? 1 : 2", "1"),
            ("var.secret ? aws_a.b : aws_c.d", "?module.m.aws_a.b+module.m.aws_c.d"),
            ("var.none == null && !false", "true"),
            ("var.secret || true", "true"),
            ("30 * 1000 - 1", "29999"),
            ("aws_lambda_function.app[0].arn", "?module.m.aws_lambda_function.app"),
            ("data.archive_file.app.output_path", "?module.m.data.archive_file.app"),
            ("{ a = 1, (var.name) = [1, 2] }[\"shop\"][1]", "2"),
            ("[{ a = 1 }, { a = 2 }][*].a", "[1 2]"),
            ("merge({ a = 1, b = 1 }, { b = 2 })", "{a:1 b:2}"),
            ("merge({ a = 1 }, var.secret, { c = 3 })", "{c:3 …}"),
            ("merge({ a = 1 }, var.none)", "{a:1}"),
            ("concat([1], [aws_a.b.arn])", "[1 ?module.m.aws_a.b]"),
            ("concat([[1], [2]]...)", "[1 2]"),
            ("compact([\"\", \"x\", null])", "[x]"),
            ("coalesce(null, \"\", var.name)", "shop"),
            ("try(var.none.x, \"y\")", "y"),
            ("coalesce(var.secret, \"y\")", "?"),
            ("lookup({ a = 1 }, \"b\", 7)", "7"),
            ("length(\"abc\") + length([1])", "4"),
            ("format(\"%s:%d\", var.name, 3)", "shop:3"),
            ("join(\",\", [var.name, \"b\"])", "shop,b"),
            ("max(29, 40)", "40"),
            ("{ for key, one in { a = 1, b = 2 } : key => one if one > 1 }", "{b:2}"),
            ("[for one in [1, 2] : one * 2]", "[2 4]"),
            ("templatefile(\"x\", { a = aws_a.b.id })", "?module.m.aws_a.b"),
            ("jsonencode({ a = 1 })", "{a:1}"),
        ] {
            assert_eq!(value(expression), expected, "{expression}");
        }
    }
}
