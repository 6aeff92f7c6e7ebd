//! `!a`, `a == b`, `a && b`: three-valued, since a side may be known only at deployment.

use hcl::edit::expr::{BinaryOperator, UnaryOperator};

use crate::cli::doctor::node::{Data, Node, Place, unknown};

pub(super) fn unary(operator: UnaryOperator, value: &Node, at: &Place) -> Node {
    let known = match operator {
        UnaryOperator::Not => value.flag().map(|flag| Data::Bool(!flag)),
        UnaryOperator::Neg => number(value).map(|number| Data::Number(-number)),
    };
    known.map_or_else(|| unknown(at, value.resources()), |data| Node::new(at, data))
}

pub(super) fn binary(operator: BinaryOperator, left: &Node, right: &Node, at: &Place) -> Node {
    let known = match operator {
        BinaryOperator::Eq => equal(left, right).map(Data::Bool),
        BinaryOperator::NotEq => equal(left, right).map(|equal| Data::Bool(!equal)),
        BinaryOperator::And => match (left.flag(), right.flag()) {
            (Some(false), _) | (_, Some(false)) => Some(Data::Bool(false)),
            (Some(true), Some(true)) => Some(Data::Bool(true)),
            _ => None,
        },
        BinaryOperator::Or => match (left.flag(), right.flag()) {
            (Some(true), _) | (_, Some(true)) => Some(Data::Bool(true)),
            (Some(false), Some(false)) => Some(Data::Bool(false)),
            _ => None,
        },
        operator => number(left).zip(number(right)).map(|(left, right)| arithmetic(operator, left, right)),
    };
    known.map_or_else(|| unknown(at, [left.resources(), right.resources()].concat()), |data| Node::new(at, data))
}

fn number(node: &Node) -> Option<f64> {
    node.text()?.parse().ok()
}

fn equal(left: &Node, right: &Node) -> Option<bool> {
    match (&left.data, &right.data) {
        (Data::Later(_), _) | (_, Data::Later(_)) => None,
        (Data::Null, Data::Null) => Some(true),
        (Data::Null, _) | (_, Data::Null) => Some(false),
        (Data::List(one), Data::List(other)) => {
            (one.is_empty() || other.is_empty()).then_some(one.len() == other.len())
        }
        (Data::Map(one), Data::Map(other)) if !one.open && !other.open => {
            let (one, other) = (one.entries.len(), other.entries.len());
            (one == 0 || other == 0).then_some(one == other)
        }
        _ => Some(left.text()? == right.text()?),
    }
}

fn arithmetic(operator: BinaryOperator, left: f64, right: f64) -> Data {
    match operator {
        BinaryOperator::Plus => Data::Number(left + right),
        BinaryOperator::Minus => Data::Number(left - right),
        BinaryOperator::Mul => Data::Number(left * right),
        BinaryOperator::Div => Data::Number(left / right),
        BinaryOperator::Mod => Data::Number(left % right),
        BinaryOperator::LessEq => Data::Bool(left <= right),
        BinaryOperator::GreaterEq => Data::Bool(left >= right),
        BinaryOperator::Less => Data::Bool(left < right),
        BinaryOperator::Greater => Data::Bool(left > right),
        // Decided before the sides were taken as numbers.
        BinaryOperator::Eq | BinaryOperator::NotEq | BinaryOperator::And | BinaryOperator::Or => Data::Null,
    }
}
