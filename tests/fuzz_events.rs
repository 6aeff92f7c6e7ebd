//! No bytes of an event end the process: each gets a response or a Lambda error, and the next event is served.
//!
//! The mutations are random with a fixed seed, so a failure comes back; it is told with its number and its bytes.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use wsgi_lambda::emulator::{Outcome, Submission};

const SEED: u64 = 0x05ee_d0fe_7e47_51ab;
const MUTATIONS: u32 = 600;

#[test]
fn no_event_ends_the_process() {
    let mut function = support::app("tests/apps/contract", "app:app").start();
    let samples: Vec<Value> = sample_names().iter().map(|name| support::event(name)).collect();
    let good = support::event("http-api-v2-get");
    let process = function.process_id();
    let mut random = Random(SEED);
    let mut failures = Vec::new();
    for number in 0..MUTATIONS {
        let bytes = mutation(random.pick(&samples), &mut random);
        let told = String::from_utf8_lossy(&bytes).chars().take(2000).collect::<String>();
        let outcome = function.send(Submission::new(bytes)).outcome;
        if let Some(why) = improper(&outcome) {
            failures.push(format!("{number}: {why}\n    {told}"));
        }
        let next = function.invoke(good.clone());
        if next.json["statusCode"] != 200 || function.process_id() != process {
            failures.push(format!("{number}: the next event was not served: {:?}\n    {told}", next.outcome));
            break;
        }
    }
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), last_lines(&function.logs()));
}

/// Why an outcome is neither a response nor a Lambda error.
fn improper(outcome: &Outcome) -> Option<String> {
    let json: Value = serde_json::from_slice(&outcome.payload()).unwrap_or_default();
    let is_proper = match outcome {
        // The application answers whatever reaches it, so a 500 would be an error of the runtime.
        Outcome::Response(_) => matches!(json["statusCode"].as_u64(), Some(200 | 400)),
        Outcome::Error(_) => json["errorType"].is_string() && json["errorMessage"].is_string(),
        Outcome::InitError(_) | Outcome::Platform(_) => false,
    };
    (!is_proper).then(|| format!("{outcome:?}").chars().take(400).collect())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The names of the sample events, those that are not HTTP among them, in a fixed order.
fn sample_names() -> BTreeSet<String> {
    let events = support::root().join("events");
    let mut names = BTreeSet::new();
    for (folder, prefix) in [(events.clone(), ""), (events.join("not-http"), "not-http/")] {
        for entry in std::fs::read_dir(folder).expect("the folder of events") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                names.insert(format!("{prefix}{}", path.file_stem().expect("a name").to_string_lossy()));
            }
        }
    }
    names
}

/// One mutated event.
fn mutation(sample: &Value, random: &mut Random) -> Vec<u8> {
    let mut event = sample.clone();
    match random.below(8) {
        0 => random.bytes(),
        1 => cut(event.to_string().into_bytes(), random),
        2 => damaged(event.to_string().into_bytes(), random),
        3 => spliced(&mut event, random),
        _ => {
            for _ in 0..=random.below(4) {
                change(&mut event, random);
            }
            event.to_string().into_bytes()
        }
    }
}

fn cut(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    bytes.truncate(random.below(bytes.len()));
    bytes
}

/// Some bytes are others, which leaves invalid UTF-8, or breaks the syntax.
fn damaged(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(6) {
        let place = random.below(bytes.len());
        bytes[place] = u8::try_from(random.below(256)).expect("a byte");
    }
    bytes
}

/// A value is JSON that no `Value` can hold.
fn spliced(event: &mut Value, random: &mut Random) -> Vec<u8> {
    const MARK: &str = "\"SPLICE\"";
    let depth = 10_usize.pow(u32::try_from(1 + random.below(5)).expect("small"));
    let replacements = [
        r#""\ud800""#.to_owned(),
        r#""a\udfffb\ud83d""#.to_owned(),
        r#"{"\ud800":"\udc00"}"#.to_owned(),
        r#"["\ud83d\ud83d"]"#.to_owned(),
        "1e400".to_owned(),
        "-0".to_owned(),
        "9".repeat(depth.min(10_000)),
        format!("0.{}1", "0".repeat(depth.min(10_000))),
        format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        "[".repeat(depth),
        r#"1,"httpMethod":null,"path":7,"rawPath":[],"headers":"x","requestContext":{}"#.to_owned(),
    ];
    if let Some(place) = random_place(event, random) {
        *place = json!("SPLICE");
    }
    event.to_string().replace(MARK, random.pick::<String>(&replacements)).into_bytes()
}

/// A member is dropped, null, of another type, or an odd text; or there is one more.
fn change(event: &mut Value, random: &mut Random) {
    let Some(object) = random_object(event, random) else { return };
    let names: Vec<String> = object.keys().cloned().collect();
    let Some(name) = (!names.is_empty()).then(|| random.pick(&names).clone()) else { return };
    match random.below(6) {
        0 => {
            object.shift_remove(&name);
        }
        1 => {
            object.insert(name, Value::Null);
        }
        2 => {
            let moved = object.shift_remove(&name).unwrap_or_default();
            object.insert(random.pick(&names).clone(), moved);
        }
        3 => {
            object.insert(odd_text(random), json!(odd_text(random)));
        }
        _ => {
            object.insert(name, odd_value(random));
        }
    }
}

fn odd_value(random: &mut Random) -> Value {
    let text = odd_text(random);
    let values = [
        json!(true),
        json!(0),
        json!(-1.5e300),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!(text),
        json!([text]),
        json!([null, 1, [text]]),
        json!({"": text}),
        json!({text.clone(): null}),
        json!([[[[{}]]]]),
    ];
    random.pick(&values).clone()
}

fn odd_text(random: &mut Random) -> String {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "/",
        "//",
        "?",
        "#",
        "%",
        "%zz",
        "%00",
        "%ff",
        "/../..",
        "\0",
        "\r\n",
        "a\nb: c",
        "é",
        "\u{fffd}",
        "👋",
        "\u{feff}",
        "=",
        "====",
        "YQ",
        "null",
        "2.0",
        "$default",
        "REQUEST",
        "host:80:81",
        "[::1",
        "]",
        ":",
        ",",
        ", ,",
        "http",
        "x-forwarded-for",
        "cookie",
        "Content-Type",
        "wsgi.input",
        "_",
        "-",
        "{proxy+}",
        "{",
        "/{a}/{a}",
        "1e9",
        "-1",
        "18446744073709551616",
        "aws:sqs",
        "GET /",
        "HTTP/1.1",
        "HTTP/\u{1}",
    ];
    match random.below(12) {
        0 => "a".repeat(100_000),
        1 => "é%".repeat(20_000),
        _ => (*random.pick(TEXTS)).to_owned(),
    }
}

/// One of the objects in a value, itself among them.
fn random_object<'a>(value: &'a mut Value, random: &mut Random) -> Option<&'a mut Map<String, Value>> {
    let is_deeper = random.below(3) > 0;
    let map = value.as_object_mut()?;
    let inner: Vec<String> = map.iter().filter(|(_, value)| value.is_object()).map(|(name, _)| name.clone()).collect();
    if !is_deeper || inner.is_empty() {
        return Some(map);
    }
    random_object(map.get_mut(random.pick(&inner))?, random)
}

fn random_place<'a>(event: &'a mut Value, random: &mut Random) -> Option<&'a mut Value> {
    let object = random_object(event, random)?;
    let names: Vec<String> = object.keys().cloned().collect();
    if names.is_empty() { None } else { object.get_mut(random.pick(&names)) }
}

/// The generator "xorshift64*", which needs no crate and gives the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `end`; 0 if `end` is.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("a length");
        usize::try_from(self.next() % end).expect("below a length")
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(300)).map(|_| u8::try_from(self.below(256)).expect("a byte")).collect()
    }
}
