//! The events, built once before anything is timed, and the response that is right for each.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::Posted;

pub(crate) const HELLO: &str = "{\"message\": \"Hello from the benchmark\"}";
const LINE: &str = "The quick brown fox said \"jump\" over 13 lazy dogs and went home.\n";
const OCTETS: &str = "application/octet-stream";
/// As many as make 64 KB of JSON.
const ITEMS: usize = 1090;

/// What a function that has no Python answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// As the application does.
    Application,
    /// With [`HELLO`], whatever is asked.
    Hello,
}

/// One event with its right response.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) bytes: Vec<u8>,
    /// How long an envelope with the right response is; the null subject sends as many bytes.
    pub(crate) response_bytes: usize,
    pub(crate) floor: Expected,
    expected: Vec<u8>,
}

impl Event {
    fn new(name: &str, title: &str, event: &Value, content_type: &str, expected: Vec<u8>) -> Self {
        let text = content_type != OCTETS;
        let body = if text { String::from_utf8_lossy(&expected).into_owned() } else { STANDARD.encode(&expected) };
        let envelope = json!({
            "statusCode": 200, "headers": {"Content-Type": content_type}, "body": body, "isBase64Encoded": !text,
        });
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            bytes: event.to_string().into_bytes(),
            response_bytes: envelope.to_string().len(),
            floor: Expected::Application,
            expected,
        }
    }

    fn floor_says_hello(mut self) -> Self {
        self.floor = Expected::Hello;
        self
    }

    /// Whether the response is the right one, in the form of API Gateway, which all front ends share.
    pub(crate) fn check(&self, posted: &Posted, expected: Expected) -> Result<()> {
        let envelope: Value = serde_json::from_slice(posted.body())
            .with_context(|| format!("a response that is not JSON: {}", posted.excerpt()))?;
        let status = &envelope["statusCode"];
        ensure!(status == 200, "status {status} instead of 200: {}", short(&envelope["body"]));
        let Some(body) = envelope["body"].as_str() else { bail!("no body") };
        let body = if envelope["isBase64Encoded"] == true {
            STANDARD.decode(body).context("a body that is not base64")?
        } else {
            body.as_bytes().to_vec()
        };
        let right = if expected == Expected::Hello { HELLO.as_bytes() } else { &self.expected };
        ensure!(
            body == right,
            "a wrong body: {} bytes instead of {}: {}",
            body.len(),
            right.len(),
            short(&String::from_utf8_lossy(&body).as_ref().into())
        );
        Ok(())
    }
}

fn short(value: &Value) -> String {
    let text: String = value.as_str().unwrap_or_default().chars().take(80).collect();
    format!("{text:?}")
}

/// The sample events of `events/`, one small GET of each front end.
const FRONT_ENDS: [(&str, &str, &str); 8] = [
    ("get", "GET, HTTP API 2.0", include_str!("../../events/http-api-v2-get.json")),
    ("get-rest", "GET, REST", include_str!("../../events/rest-get.json")),
    ("get-http-1", "GET, HTTP API 1.0", include_str!("../../events/http-api-v1-get.json")),
    ("get-url", "GET, Function URL", include_str!("../../events/function-url-get.json")),
    ("get-alb", "GET, ALB", include_str!("../../events/alb-get.json")),
    ("get-alb-multi", "GET, ALB multi-value", include_str!("../../events/alb-multi-get.json")),
    ("get-lattice-1", "GET, Lattice 1.0", include_str!("../../events/lattice-v1-get.json")),
    ("get-lattice-2", "GET, Lattice 2.0", include_str!("../../events/lattice-v2-get.json")),
];

/// Every event that warm requests are measured with.
pub(crate) fn all() -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (name, title, text) in FRONT_ENDS {
        let event: Value = serde_json::from_str(text)?;
        events.push(Event::new(name, title, &event, "application/json", HELLO.into()));
    }
    events.extend([headers(100)?, query(100)?, items()?, echo("echo-1m", "1 MB binary echo", 1 << 20)?]);
    let text = LINE.repeat(5_000_000 / LINE.len()).into_bytes();
    events.push(Event::new("text-5m", "5 MB text response", &get("/text")?, "text/plain", text));
    let block: Vec<u8> = (0..=255).collect();
    let binary = block.repeat(3_750_000 / block.len());
    events.push(Event::new("binary-5m", "5 MB binary response", &get("/binary")?, OCTETS, binary));
    events.push(Event::new("slow-close", "close() of 20 ms", &get("/slow-close")?, "application/json", HELLO.into()));
    events.extend([products_html()?, products_json()?]);
    Ok(events)
}

/// A GET of the HTTP API, payload 2.0, which every peer understands.
fn get(path: &str) -> Result<Value> {
    let mut event: Value = serde_json::from_str(FRONT_ENDS[0].2)?;
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    Ok(event)
}

fn post(path: &str, content_type: &str, body: &[u8]) -> Result<Value> {
    let mut event = get(path)?;
    let binary = content_type == OCTETS;
    event["requestContext"]["http"]["method"] = "POST".into();
    event["headers"]["content-type"] = content_type.into();
    event["headers"]["content-length"] = body.len().to_string().into();
    event["body"] =
        if binary { STANDARD.encode(body).into() } else { String::from_utf8_lossy(body).into_owned().into() };
    event["isBase64Encoded"] = binary.into();
    Ok(event)
}

/// A GET of a Function URL, which is one of the two front ends that stream.
pub(crate) fn streamed(path: &str) -> Result<Event> {
    let mut event: Value = serde_json::from_str(FRONT_ENDS[3].2)?;
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    Ok(Event::new(path, path, &event, OCTETS, Vec::new()))
}

/// A request that takes a tenth of a second, asleep.
pub(crate) fn sleep() -> Result<Event> {
    Ok(Event::new("sleep", "sleep", &get("/sleep")?, "application/json", HELLO.into()))
}

/// A binary body that is read and not sent back.
pub(crate) fn sink(bytes: usize) -> Result<Event> {
    let event = post("/sink", OCTETS, &noise(bytes))?;
    let expected = format!("{{\"count\": {bytes}}}");
    let name = format!("sink-{bytes}");
    Ok(Event::new(&name, &name, &event, "application/json", expected.into()).floor_says_hello())
}

/// A request with so many headers of its own.
pub(crate) fn headers(number: usize) -> Result<Event> {
    let mut event = get("/headers")?;
    for index in 0..number {
        event["headers"][format!("x-bench-{index}")] = format!("the value of header {index}").into();
    }
    let expected = format!("{{\"count\": {number}}}");
    let (name, title) = (format!("headers-{number}"), format!("{number} headers"));
    Ok(Event::new(&name, &title, &event, "application/json", expected.into()).floor_says_hello())
}

fn query(number: usize) -> Result<Event> {
    let mut event = get("/query")?;
    let pairs = || (0..number).map(|index| (format!("parameter{index}"), format!("value{index}")));
    let raw: Vec<String> = pairs().map(|(name, value)| format!("{name}={value}")).collect();
    event["rawQueryString"] = raw.join("&").into();
    event["queryStringParameters"] = pairs().map(|(name, value)| (name, Value::from(value))).collect();
    let expected = format!("{{\"count\": {number}}}");
    let (name, title) = (format!("query-{number}"), format!("{number} query parameters"));
    Ok(Event::new(&name, &title, &event, "application/json", expected.into()).floor_says_hello())
}

fn items() -> Result<Event> {
    let item =
        |index: usize| json!({"id": index, "name": format!("item number {index} — größer"), "price": index % 100});
    let items: Vec<Value> = (0..ITEMS).map(item).collect();
    let sum: usize = (0..ITEMS).map(|index| index % 100).sum();
    let body = json!({"items": items}).to_string();
    let expected = format!("{{\"items\": {ITEMS}, \"sum\": {sum}}}");
    let event = post("/items", "application/json", body.as_bytes())?;
    Ok(Event::new("json-64k", "64 KB JSON POST", &event, "application/json", expected.into()).floor_says_hello())
}

/// The page of the shop with Flask.
fn products_html() -> Result<Event> {
    let row =
        |(id, name, price): (u32, String, u32)| format!("<tr><td>{id}</td><td>{name}</td><td>{price}</td></tr>\n");
    let rows: String = products().map(row).collect();
    let page = format!("<!doctype html>\n<title>Products</title>\n<table>\n{rows}</table>");
    Ok(Event::new("products-html", "50 rows as HTML", &get("/products")?, "text/html", page.into()))
}

/// The list of the shop with Django REST framework.
fn products_json() -> Result<Event> {
    let row = |(id, name, price)| json!({"id": id, "name": name, "price": price});
    let list = products().map(row).collect::<Value>().to_string();
    Ok(Event::new("products-json", "50 rows as JSON", &get("/products")?, "application/json", list.into()))
}

/// What `apps/shop_database.py` writes, and the shops show of it.
fn products() -> impl Iterator<Item = (u32, String, u32)> {
    (1..=50).map(|id| (id, format!("Product {id}"), id * 7))
}

/// A binary body that comes back.
fn echo(name: &str, title: &str, bytes: usize) -> Result<Event> {
    let body = noise(bytes);
    let event = post("/echo", OCTETS, &body)?;
    Ok(Event::new(name, title, &event, OCTETS, body))
}

/// Bytes that look random: nothing compresses or predicts them.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..bytes).map(|_| next()).collect()
}

/// A small request for so many bytes of zeros.
pub(crate) fn octets(bytes: usize) -> Result<Event> {
    let name = format!("octets-{bytes}");
    Ok(Event::new(&name, &name, &get(&format!("/octets/{bytes}"))?, OCTETS, vec![0; bytes]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: &Event, envelope: &Value) -> Result<()> {
        event.check(&Posted::of(envelope.to_string().as_bytes(), false), Expected::Application)
    }

    #[test]
    fn only_the_right_response_is_right() {
        let echo = echo("echo", "echo", 1000).unwrap();
        let body = STANDARD.encode(noise(1000));
        check(&echo, &json!({"statusCode": 200, "body": body, "isBase64Encoded": true})).unwrap();
        for wrong in [
            json!({"statusCode": 500, "body": body, "isBase64Encoded": true}),
            json!({"statusCode": 200, "body": body, "isBase64Encoded": false}),
            json!({"statusCode": 200, "body": STANDARD.encode(noise(999)), "isBase64Encoded": true}),
            json!({"statusCode": 200}),
            json!(null),
        ] {
            assert!(check(&echo, &wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_unique_and_events_within_the_limit() {
        let events = all().unwrap();
        for (index, event) in events.iter().enumerate() {
            assert!(event.bytes.len() <= 6_291_556 && event.response_bytes <= 6_291_556, "{}", event.name);
            assert!(events[..index].iter().all(|other| other.name != event.name), "{}", event.name);
        }
        let json = events.iter().find(|event| event.name == "json-64k").unwrap();
        assert!((60_000..80_000).contains(&json.bytes.len()), "{}", json.bytes.len());
    }
}
