//! The Lambda contract, case by case: an event, and the environ or the answer it must give.
//!
//! Each file of `tests/contract` is a group. A case is an event of `events/` with changes, or one of its own:
//!
//! ```json
//! {"name": "…", "base": "rest-get", "set": {"/path": "/x"}, "remove": ["/body"], "headers": {"X-A": ["1", "2"]},
//!  "env": {"WSGI_LAMBDA_BASE_PATH": "/orders"}, "answer": {"status": "404 Not Found", "text": "…"},
//!  "expect": {"environ": {"PATH_INFO": "/x"}, "absent": ["REMOTE_USER"], "status": 200, "envelope": {"/body": "…"}}}
//! ```
//!
//! * `base` or `event` (JSON) or `raw` (text); `set` and `remove` take JSON pointers; `splice` replaces text in the
//!   serialised event, for JSON that no value can hold; `repeat` sets a string member to a repeated text;
//! * `headers` adds header fields in the form which the event's front end uses;
//! * `answer` is what the application is told to answer (see `tests/apps/contract`); without it, it reports;
//! * `env` gives the case a process of its own kind; `fresh` gives it one that has served nothing yet;
//! * `expect`: `environ`, `absent`, `query` (decoded pairs), `url`, `body`, `body_base64`, `body_length`, `context`
//!   are about the report; `status`, `headers`, `envelope` (pointers), `text`, `bytes` (base64), `length` about the
//!   answer; `error` about a Lambda error's message; `log` and `called` about what was written and run;
//!   `outcome: "any"` takes every answer and error, as long as there is one.
//!
//! An expected value is equal, or one of the matchers in [`differs`]. Whatever a case expects, the rules that hold for
//! every call and every answer are checked as well: `problems` in the report and [`envelope_problems`].
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use support::{Answer, Function};
use wsgi_lambda::emulator::{Invocation, MAX_PAYLOAD_BYTES, Outcome};

/// What the application writes to the log when it is called.
const CALLED: &str = "contract application called";
/// The largest answer for a load balancer.
const ALB_LIMIT: usize = 1 << 20;

macro_rules! groups {
    ($($name:ident)*) => {
        const GROUPS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { run_group(stringify!($name)); })*
    };
}

groups! {
    detection paths stages base_path queries headers cookies addresses remote users bodies nulls keys
    answers answer_bodies answer_headers sizes broken
}

#[test]
fn every_file_is_a_group() {
    let files: BTreeSet<String> = stems(&folder());
    assert_eq!(files, GROUPS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn every_sample_event_is_a_request() {
    let mut processes = Processes::default();
    let cases = stems(&support::root().join("events"))
        .into_iter()
        .map(|base| json!({"name": base, "base": base, "expect": {"status": 200}}));
    assert_passed(cases.filter_map(|case| processes.run(&case)).collect());
}

#[test]
fn every_sample_event_passes_the_validator() {
    let mut function = support::app("tests/apps/contract", "validated:app").start();
    let mut failures = String::new();
    for name in stems(&support::root().join("events")) {
        let answer = function.replay(&name);
        let text = String::from_utf8_lossy(&answer.outcome.payload()).into_owned();
        if answer.json["statusCode"] != json!(200) {
            let _ = writeln!(failures, "{name}: {text}");
        }
    }
    assert!(failures.is_empty(), "{failures}\n{}", function.logs());
}

#[test]
fn the_largest_answer_is_exact() {
    for (base, limit) in
        [("rest-get", MAX_PAYLOAD_BYTES), ("alb-get", ALB_LIMIT), ("http-api-v2-get", MAX_PAYLOAD_BYTES)]
    {
        let mut function = support::app("tests/apps/contract", "app:app").start();
        let mut post = |count: usize| {
            let wish =
                json!({"headers": [["Content-Type", "text/plain"]], "repeat": {"base64": "YQ==", "count": count}});
            function.invoke(event_of(&json!({"base": base, "answer": wish})))
        };
        let near = limit - 4000;
        let length = near + limit - post(near).outcome.payload().len();
        let (fits, exceeds) = (post(length), post(length + 1));
        assert_eq!((fits.status(), fits.outcome.payload().len()), (200, limit), "{base}: the largest");
        assert_eq!(exceeds.status(), 500, "{base}: one byte more");
        assert!(exceeds.outcome.payload().len() < 2000, "{base}: our own 500 is small");
    }
}

fn run_group(name: &str) {
    let path = folder().join(name).with_extension("json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let names: BTreeSet<&str> = cases.iter().map(|case| text_of(&case["name"])).collect();
    assert_eq!(names.len(), cases.len(), "{name}: two cases have one name");
    let mut processes = Processes::default();
    assert_passed(cases.iter().filter_map(|case| processes.run(case)).collect());
}

fn assert_passed(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} cases failed\n\n{}", failures.len(), failures.join("\n"));
}

fn folder() -> PathBuf {
    support::root().join("tests/contract")
}

/// The names of the JSON files in a folder, without what is in folders below.
fn stems(folder: &std::path::Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    json.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

/// One running function for each set of variables.
#[derive(Default)]
struct Processes(BTreeMap<String, Function>);

impl Processes {
    /// Runs a case; what went wrong, line by line.
    fn run(&mut self, case: &Value) -> Option<String> {
        let env = case["env"].as_object().cloned().unwrap_or_default();
        let key = Value::Object(env.clone()).to_string();
        if case["fresh"] == true {
            self.0.remove(&key);
        }
        let function = self.0.entry(key).or_insert_with(|| start(&env));
        let before = function.logs().len();
        let (event, bytes) = event_bytes(case);
        let answer = function.send(Invocation::new(bytes));
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

fn event_of(case: &Value) -> Value {
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
    let list = Value::Array(values.clone());
    match Origin::of(event) {
        Some(Origin::Rest | Origin::HttpV1) => {
            at(event, "/headers")[name] = last;
            at(event, "/multiValueHeaders")[name] = list;
        }
        Some(Origin::AlbMulti) => at(event, "/multiValueHeaders")[name] = list,
        Some(Origin::LatticeV2) => at(event, "/headers")[name] = list,
        Some(Origin::HttpV2 | Origin::FunctionUrl | Origin::LatticeV1) => {
            let texts: Vec<&str> = values.iter().map(text_of).collect();
            at(event, "/headers")[name] = json!(texts.join(","));
        }
        Some(Origin::AlbSingle) | None => at(event, "/headers")[name] = last,
    }
}

/// The front end of an event, by the order of tests in the event reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Rest,
    HttpV1,
    HttpV2,
    FunctionUrl,
    AlbSingle,
    AlbMulti,
    LatticeV1,
    LatticeV2,
}

impl Origin {
    fn of(event: &Value) -> Option<Self> {
        let context = &event["requestContext"];
        if event.get("methodArn").or(event.get("routeArn")).is_some() || context.get("connectionId").is_some() {
            return None;
        }
        if context.get("elb").is_some() {
            return Some(if event["multiValueHeaders"].is_null() { Self::AlbSingle } else { Self::AlbMulti });
        }
        if context["http"].is_object() {
            let is_url = context["domainName"].as_str().is_some_and(|name| name.contains(".lambda-url."));
            return Some(if is_url { Self::FunctionUrl } else { Self::HttpV2 });
        }
        match event {
            _ if event.get("httpMethod").is_some() && event["version"] == "1.0" => Some(Self::HttpV1),
            _ if event.get("httpMethod").is_some() && context.is_object() => Some(Self::Rest),
            _ if event.get("raw_path").is_some() => Some(Self::LatticeV1),
            _ if event.get("method").is_some() && context.is_object() => Some(Self::LatticeV2),
            _ => None,
        }
    }

    /// The keys its envelope may have.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Rest | Self::HttpV1 => &["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"],
            Self::HttpV2 | Self::FunctionUrl => &["statusCode", "headers", "cookies", "body", "isBase64Encoded"],
            Self::AlbSingle | Self::LatticeV1 | Self::LatticeV2 => {
                &["statusCode", "statusDescription", "headers", "body", "isBase64Encoded"]
            }
            Self::AlbMulti => &["statusCode", "statusDescription", "multiValueHeaders", "body", "isBase64Encoded"],
        }
    }

    /// The keys it must have.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::AlbSingle => &["statusCode", "statusDescription", "headers", "body", "isBase64Encoded"],
            Self::AlbMulti => self.keys(),
            _ => &["statusCode", "body", "isBase64Encoded"],
        }
    }

    fn limit(self) -> usize {
        if matches!(self, Self::AlbSingle | Self::AlbMulti) { ALB_LIMIT } else { MAX_PAYLOAD_BYTES }
    }
}

/// What is wrong with an envelope for any case of its front end.
fn envelope_problems(origin: Origin, payload: &[u8], envelope: &Value) -> Vec<String> {
    let Some(map) = envelope.as_object() else { return vec![format!("not an envelope: {}", short(envelope))] };
    let mut problems: Vec<String> = Vec::new();
    problems.extend(map.keys().filter(|key| !origin.keys().contains(&key.as_str())).map(|key| format!("key {key}")));
    problems.extend(origin.required().iter().filter(|key| !map.contains_key(**key)).map(|key| format!("no key {key}")));
    if !map.get("statusCode").is_some_and(Value::is_u64) {
        problems.push(format!("statusCode is {}", envelope["statusCode"]));
    }
    if !map.get("body").is_some_and(Value::is_string) {
        problems.push(format!("body is {}", short(&envelope["body"])));
    }
    if !map.get("isBase64Encoded").is_some_and(Value::is_boolean) {
        problems.push(format!("isBase64Encoded is {}", envelope["isBase64Encoded"]));
    }
    if let Some(description) = map.get("statusDescription") {
        let code = envelope["statusCode"].to_string();
        if !description.as_str().is_some_and(|text| text.starts_with(&format!("{code} "))) {
            problems.push(format!("statusDescription is {description}"));
        }
    }
    problems.extend(map.get("headers").filter(|headers| !is_map(headers, Value::is_string)).map(|_| "headers".into()));
    let lists = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    problems.extend(map.get("multiValueHeaders").filter(|map| !is_map(map, lists)).map(|_| "multiValueHeaders".into()));
    problems.extend(map.get("cookies").filter(|cookies| !lists(cookies)).map(|_| "cookies".into()));
    if payload.len() > origin.limit() {
        problems.push(format!("{} bytes posted", payload.len()));
    }
    problems
}

fn is_map(value: &Value, each: impl Fn(&Value) -> bool) -> bool {
    value.as_object().is_some_and(|map| map.values().all(each))
}

/// What a case found.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn told(self, case: &Value, answer: &Answer, log: &str) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = format!("{}\n", text_of(&case["name"]));
        for line in &self.0 {
            let _ = writeln!(text, "    {line}");
        }
        if matches!(answer.outcome, Outcome::Platform(_)) || answer.json["statusCode"] == 500 {
            let _ = writeln!(text, "    log: {}", cut(log));
        }
        Some(text)
    }

    fn expect(&mut self, key: &str, expected: &Value, got: Option<&Value>) {
        if let Some(why) = differs(expected, got) {
            self.0.push(format!("{key}: {why}"));
        }
    }

    fn check(&mut self, case: &Value, event: Option<&Value>, answer: &Answer, log: &str) {
        let expect = &case["expect"];
        if let Some(called) = expect["called"].as_bool() {
            let was = log.contains(CALLED);
            self.expect("called", &json!(called), Some(&json!(was)));
        }
        if let Some(wanted) = expect.get("log") {
            self.expect("log", wanted, Some(&json!(log)));
        }
        match &answer.outcome {
            Outcome::Error(_) if expect["outcome"] == "any" => {}
            Outcome::Error(_) => self.error(expect, &answer.json),
            Outcome::Response(_) if expect.get("error").is_some() => {
                self.0.push(format!("expected a Lambda error, got {}", short(&answer.json)));
            }
            Outcome::Response(response) => {
                let origin = event.or(Some(&case["event"])).and_then(Origin::of);
                if let Some(origin) = origin {
                    self.0.extend(envelope_problems(origin, &response.body, &answer.json));
                }
                self.answer(case, event, answer);
            }
            Outcome::InitError(_) | Outcome::Platform(_) => {
                self.0.push(format!("the runtime did not answer: {}", short(&answer.json)));
            }
        }
    }

    fn error(&mut self, expect: &Value, error: &Value) {
        match expect.get("error") {
            Some(wanted) => self.expect("error", wanted, error.get("errorMessage")),
            None => self.0.push(format!("expected an answer, got the error {}", short(error))),
        }
        if !error["errorType"].as_str().is_some_and(|name| !name.is_empty()) {
            self.0.push(format!("errorType is {}", error["errorType"]));
        }
    }

    fn answer(&mut self, case: &Value, event: Option<&Value>, answer: &Answer) {
        let expect = &case["expect"];
        if answer.json.get("statusCode").is_none() {
            self.0.push(format!("not an HTTP answer: {}", short(&answer.json)));
            return;
        }
        if expect["outcome"] == "any" {
            return;
        }
        let ok = json!(200);
        self.expect("status", expect.get("status").unwrap_or(&ok), answer.json.get("statusCode"));
        for (pointer, wanted) in expect["envelope"].as_object().into_iter().flatten() {
            self.expect(pointer, wanted, answer.json.pointer(pointer));
        }
        for (name, wanted) in expect["headers"].as_object().into_iter().flatten() {
            let values = answer.headers(name);
            let got = (!values.is_empty()).then(|| json!(values));
            let wanted = if wanted.is_string() { json!([wanted]) } else { wanted.clone() };
            self.expect(&format!("header {name}"), &wanted, got.as_ref());
        }
        if let Some(wanted) = expect.get("text") {
            self.expect("text", wanted, Some(&json!(String::from_utf8_lossy(answer.body()))));
        }
        if let Some(wanted) = expect.get("bytes") {
            self.expect("bytes", wanted, Some(&json!(BASE64.encode(answer.body()))));
        }
        if let Some(wanted) = expect.get("length") {
            self.expect("length", wanted, Some(&json!(answer.body().len())));
        }
        if case.get("answer").is_none() && answer.json["statusCode"] == 200 && event.is_none_or(is_not_head) {
            self.report(expect, event, &answer.body_json());
        }
    }

    fn report(&mut self, expect: &Value, event: Option<&Value>, report: &Value) {
        self.expect("problems", &json!([]), report.get("problems"));
        if let (Some(sent), Some(seen)) = (event, report.get("event"))
            && sent != seen
        {
            self.0.push(format!("wsgi_lambda.event differs: sent {}, seen {}", short(sent), short(seen)));
        }
        for (key, wanted) in expect["environ"].as_object().into_iter().flatten() {
            self.expect(key, wanted, report["environ"].get(key));
        }
        for key in expect["absent"].as_array().into_iter().flatten() {
            let present = report["keys"].as_array().is_some_and(|keys| keys.contains(key));
            if present {
                self.0.push(format!("{}: expected absent, got {}", text_of(key), report["environ"][text_of(key)]));
            }
        }
        for key in ["query", "url", "body_base64", "body_length", "context"] {
            if let Some(wanted) = expect.get(key) {
                self.expect(key, wanted, report.get(key));
            }
        }
        if let Some(wanted) = expect.get("body") {
            let bytes = report["body_base64"].as_str().and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
            self.expect("body", wanted, Some(&json!(String::from_utf8_lossy(&bytes))));
        }
    }
}

fn is_not_head(event: &Value) -> bool {
    let methods = ["/httpMethod", "/method", "/requestContext/http/method"];
    methods.iter().all(|pointer| event.pointer(pointer).is_none_or(|method| method != "HEAD"))
}

/// How a value differs from what is expected: something equal, or an object with one of the keys
/// `$any` (one of these; `null` is absence), `$has` (all of these texts, in any case), `$has_any`, `$lacks`,
/// `$present`, `$absent`, `$parts` (the same parts of a query in any order), `$set` (the same items in any order),
/// `$folded` (equal texts in any case).
fn differs(expected: &Value, got: Option<&Value>) -> Option<String> {
    let text = got.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    let folded = text.to_lowercase();
    let has = |wanted: &Value| folded.contains(&text_of(wanted).to_lowercase());
    let matcher = expected.as_object().and_then(|map| map.iter().find(|(key, _)| key.starts_with('$')));
    let matches = match matcher.map(|(key, value)| (key.as_str(), value)) {
        Some(("$any", options)) => items(options).iter().any(|option| match option {
            Value::Null => got.is_none(),
            option => differs(option, got).is_none(),
        }),
        Some(("$has", wanted)) => got.is_some() && items(wanted).iter().all(has),
        Some(("$has_any", wanted)) => items(wanted).iter().any(has),
        Some(("$lacks", unwanted)) => !items(unwanted).iter().any(has),
        Some(("$present", _)) => got.is_some(),
        Some(("$absent", _)) => got.is_none(),
        Some(("$parts", wanted)) => sorted(text.split('&')) == sorted(text_of(wanted).split('&')),
        Some(("$folded", wanted)) => folded == text_of(wanted).to_lowercase(),
        Some(("$set", wanted)) => {
            let list = |value: &Value| sorted(items(value).iter().map(ToString::to_string));
            got.is_some_and(|value| list(value) == list(wanted))
        }
        _ => got == Some(expected),
    };
    let got = got.map_or_else(|| "nothing".to_owned(), short);
    (!matches).then(|| format!("expected {}, got {got}", short(expected)))
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

fn short(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(600).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
