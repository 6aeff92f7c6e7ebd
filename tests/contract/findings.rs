//! What is wrong with the response to a case.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use wsgi_lambda::emulator::Outcome;

use crate::front_end::{FrontEnd, envelope_problems};
use crate::matcher::{cut, differs, short, text_of};
use crate::support::Response;

/// What the application writes to the log when it is called.
const CALLED: &str = "contract application called";

/// What a case found.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn told(self, case: &Value, answer: &Response, log: &str) -> Option<String> {
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

    pub(crate) fn check(&mut self, case: &Value, event: Option<&Value>, answer: &Response, log: &str) {
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
                let front_end = event.or(Some(&case["event"])).and_then(FrontEnd::of);
                if let Some(front_end) = front_end {
                    self.0.extend(envelope_problems(front_end, &response.body, &answer.json));
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
        if error["errorType"].as_str().is_none_or(str::is_empty) {
            self.0.push(format!("errorType is {}", error["errorType"]));
        }
    }

    fn answer(&mut self, case: &Value, event: Option<&Value>, answer: &Response) {
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
