//! One request through several front ends, side by side.

use std::time::Duration;

use serde_json::{Value, json};
use similar::{DiffOp, DiffTag, TextDiff};

use super::super::journal::Exchange;
use super::plain_server::Variables;
use super::secrets::Secrets;
use super::{document, sent, summary, variables};
use crate::config::RequestConfig;

/// Differ from request to request, whatever the front end.
const BY_CHANCE: [&str; 7] = [
    "HTTP_X_AMZN_TRACE_ID",
    "REMOTE_PORT",
    "date",
    "x-amzn-requestid",
    "x-amz-apigw-id",
    "x-amzn-trace-id",
    "apigw-requestid",
];

/// `{"columns": [summaries], "environ": rows, "response": rows}`; a row is `{"name", "values", "same", "by_chance"}` with a
/// value for each column, `null` where there is none. A column whose front end has refused the request has no environ,
/// which is no difference.
pub(super) fn form(exchanges: &[Exchange], config: &RequestConfig, secrets: Secrets) -> Value {
    json!({
        "columns": exchanges.iter().map(column).collect::<Vec<_>>(),
        "environ": environ(exchanges, config, secrets),
        "response": response(exchanges, secrets),
    })
}

fn column(exchange: &Exchange) -> Value {
    let mut form = summary::form(exchange);
    form["has_event"] = (!exchange.event.is_empty()).into();
    form
}

fn environ(exchanges: &[Exchange], config: &RequestConfig, secrets: Secrets) -> Vec<Value> {
    let made = exchanges.iter().map(|exchange| variables::of_event(&exchange.event, config).ok());
    let made: Vec<Option<Variables>> = made.collect();
    let mut names: Vec<&String> = made.iter().flatten().flatten().map(|(name, _)| name).collect();
    names.sort_by_key(|name| (variables::order(name), *name));
    names.dedup();
    let value = |of: &Variables, name: &str| {
        let found = of.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| variables::native(value))
    };
    let row = |name: &String| {
        let values: Vec<_> = made.iter().map(|of| value(of.as_ref()?, name)).collect();
        let mut form = row(name, &values, |value| secrets.variable(name, value));
        let there: Vec<_> = made.iter().flatten().map(|of| value(of, name)).collect();
        form["same"] = is_same(&there).into();
        form
    };
    names.into_iter().map(row).collect()
}

fn response(exchanges: &[Exchange], secrets: Secrets) -> Vec<Value> {
    let sent: Vec<_> = exchanges.iter().map(|exchange| exchange.sent.as_ref()).collect();
    let status: Vec<_> = sent.iter().map(|sent| sent.map(|sent| sent.head.status.as_u16())).collect();
    let mut rows = vec![row("status", &status, u16::to_string)];
    let mut names: Vec<_> = sent.iter().flatten().flat_map(|sent| sent.head.headers.keys()).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    names.dedup();
    for name in names.into_iter().map(http::HeaderName::as_str) {
        let values = |sent: &_| Some(sent::values(sent, name)).filter(|values| !values.is_empty());
        let values: Vec<_> = sent.iter().map(|sent| sent.and_then(values)).collect();
        let masked = |values: &Vec<String>| values.iter().map(|value| secrets.header(name, value)).collect::<Vec<_>>();
        rows.push(row(name, &values, |values| masked(values).join("\n")));
    }
    let bodies: Vec<_> = sent.iter().map(|sent| sent.map(|sent| (&sent.body, sent.bytes))).collect();
    let mut body = row("body", &bodies, |_| String::new());
    body["values"] = sent.iter().map(|sent| sent.map(|sent| sent::start_of_body(sent, secrets))).collect();
    rows.push(body);
    rows
}

/// Compares the real values, then masks them.
fn row<T: PartialEq>(name: &str, values: &[Option<T>], shown: impl Fn(&T) -> String) -> Value {
    let texts: Vec<Option<String>> = values.iter().map(|value| value.as_ref().map(&shown)).collect();
    json!({ "name": name, "values": texts, "same": is_same(values), "by_chance": BY_CHANCE.contains(&name) })
}

fn is_same<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// The events of two requests, line by line: `[["same" | "changed" | "left" | "right", "left line", "right line"]]`, with
/// `null` for a line that only the other side has.
pub(super) fn events(left: &Exchange, right: &Exchange, secrets: Secrets) -> Value {
    let text = |exchange: &Exchange| {
        let document = document::read(&exchange.event, secrets).map(|value| document::form(value, 0));
        document.and_then(|form| form["text"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let (left, right) = (text(left), text(right));
    // A long comparison gets coarser instead of late.
    let diff = TextDiff::configure().timeout(Duration::from_millis(500)).diff_lines(&left, &right);
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    diff.ops().iter().flat_map(|op| pairs(op, &left, &right)).collect()
}

fn pairs(op: &DiffOp, left: &[&str], right: &[&str]) -> Vec<Value> {
    let (old, new) = (op.old_range(), op.new_range());
    let count = old.len().max(new.len());
    let line = |lines: &[&str], range: &std::ops::Range<usize>, at: usize| {
        let at = Some(range.start + at).filter(|at| range.contains(at))?;
        lines.get(at).map(|line| (*line).to_owned())
    };
    let pair = |at| {
        let (left, right) = (line(left, &old, at), line(right, &new, at));
        let mark = match (op.tag(), &left, &right) {
            (DiffTag::Equal, ..) => "same",
            (_, Some(_), Some(_)) => "changed",
            (_, Some(_), None) => "left",
            _ => "right",
        };
        json!([mark, left, right])
    };
    (0..count).map(pair).collect()
}
