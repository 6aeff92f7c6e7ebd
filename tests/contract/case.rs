//! A case becomes an event, is sent to a function with its variables, and is judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use wsgi_lambda::emulator::Submission;

use crate::findings::Findings;
use crate::front_end::FrontEnd;
use crate::matcher::text_of;
use crate::support::{self, Function};

/// One running function for each set of variables.
#[derive(Default)]
pub(crate) struct Processes(BTreeMap<String, Function>);

impl Processes {
    /// Runs a case; what went wrong, line by line.
    pub(crate) fn run(&mut self, case: &Value) -> Option<String> {
        let env = case["env"].as_object().cloned().unwrap_or_default();
        let key = Value::Object(env.clone()).to_string();
        if case["fresh"] == true {
            self.0.remove(&key);
        }
        let function = self.0.entry(key).or_insert_with(|| start(&env));
        let before = function.logs().len();
        let (event, bytes) = event_bytes(case);
        let answer = function.send(Submission::new(bytes));
        let log = function.logs()[before..].to_owned();
        let mut findings = Findings::default();
        findings.check(case, event.as_ref(), &answer, &log);
        findings.told(case, &answer, &log)
    }
}

fn start(env: &Map<String, Value>) -> Function {
    let setup = support::app("tests/apps/contract", "app:app");
    env.iter().fold(setup, |setup, (name, value)| setup.env(name, text_of(value))).start()
}

/// The event of a case as a value, unless it is not one, and as bytes.
fn event_bytes(case: &Value) -> (Option<Value>, Vec<u8>) {
    if let Some(raw) = case["raw"].as_str() {
        return (None, raw.as_bytes().to_vec());
    }
    let event = event_of(case);
    let mut text = event.to_string();
    let Some(splices) = case["splice"].as_object() else { return (Some(event), text.into_bytes()) };
    for (mark, replacement) in splices {
        assert!(text.contains(mark.as_str()), "{}: nothing to splice for {mark}", case["name"]);
        text = text.replace(mark.as_str(), &spliced(replacement));
    }
    (None, text.into_bytes())
}

/// The text of a splice: as it stands, or `[before, count, middle, after]` for nesting.
fn spliced(replacement: &Value) -> String {
    match replacement.as_array().map(Vec::as_slice) {
        Some([before, count, middle, after]) => {
            let count = usize::try_from(count.as_u64().expect("a count")).expect("a count");
            text_of(before).repeat(count) + text_of(middle) + &text_of(after).repeat(count)
        }
        _ => text_of(replacement).to_owned(),
    }
}

pub(crate) fn event_of(case: &Value) -> Value {
    let mut event = match case["base"].as_str() {
        Some(base) => support::event(base),
        None => case["event"].clone(),
    };
    for pointer in case["remove"].as_array().into_iter().flatten() {
        remove(&mut event, text_of(pointer));
    }
    for (pointer, value) in case["set"].as_object().into_iter().flatten() {
        *at(&mut event, pointer) = value.clone();
    }
    for (pointer, how) in case["repeat"].as_object().into_iter().flatten() {
        let count = usize::try_from(how["count"].as_u64().expect("a count")).expect("a count");
        *at(&mut event, pointer) = Value::String(text_of(&how["text"]).repeat(count));
    }
    if let Some(count) = case["many_headers"].as_u64() {
        (0..count).for_each(|number| add_header(&mut event, &format!("x-field-{number}"), &json!(number.to_string())));
    }
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        add_header(&mut event, name, value);
    }
    if let Some(wish) = case.get("answer") {
        add_header(&mut event, "x-contract-answer", &json!(ascii(wish)));
    }
    event
}

/// JSON as ASCII, so that a header carries it unchanged.
fn ascii(value: &Value) -> String {
    value.to_string().encode_utf16().fold(String::new(), |mut text, unit| {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
            _ => write!(text, "\\u{unit:04x}").expect("a string takes it"),
        }
        text
    })
}

fn at<'a>(event: &'a mut Value, pointer: &str) -> &'a mut Value {
    pointer.split('/').skip(1).fold(event, |place, name| {
        if !place.is_object() {
            *place = json!({});
        }
        &mut place[name.replace("~1", "/").replace("~0", "~")]
    })
}

fn remove(event: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    if let Some(Value::Object(map)) = event.pointer_mut(parent) {
        map.shift_remove(&name.replace("~1", "/").replace("~0", "~"));
    }
}

/// Adds a header in the form that the event's front end uses, so that the event stays one it could send.
fn add_header(event: &mut Value, name: &str, value: &Value) {
    let values: Vec<Value> = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let last = values.last().cloned().unwrap_or_default();
    let all = Value::Array(values.clone());
    match FrontEnd::of(event) {
        Some(FrontEnd::Rest | FrontEnd::HttpV1) => {
            at(event, "/headers")[name] = last;
            at(event, "/multiValueHeaders")[name] = all;
        }
        Some(FrontEnd::AlbMulti) => at(event, "/multiValueHeaders")[name] = all,
        Some(FrontEnd::LatticeV2) => at(event, "/headers")[name] = all,
        Some(FrontEnd::HttpV2 | FrontEnd::FunctionUrl | FrontEnd::LatticeV1) => {
            let texts: Vec<&str> = values.iter().map(text_of).collect();
            at(event, "/headers")[name] = json!(texts.join(","));
        }
        Some(FrontEnd::AlbSingle) | None => at(event, "/headers")[name] = last,
    }
}
