//! An event that is nearly a front end's: which front end, and what is missing. Only words for an error message:
//! [`super::probe`] has decided by then that the event is not an HTTP request.

use crate::event::fields::Fields;

/// A form of event: the members that only it has, and those without which it is not recognized.
struct Form {
    name: &'static str,
    version: Option<&'static [u8]>,
    /// Enough of these tell the form.
    marks: &'static [&'static str],
    enough: usize,
    required: &'static [&'static str],
}

/// Most specific first.
const FORMS: [Form; 8] = [
    Form {
        name: "a VPC Lattice (V1) event",
        version: None,
        marks: &["raw_path", "query_string_parameters", "is_base64_encoded", "method"],
        enough: 2,
        required: &["raw_path", "method"],
    },
    Form {
        name: "a Function URL or HTTP API (payload 2.0) event",
        version: Some(b"2.0"),
        marks: &["rawPath", "rawQueryString", "routeKey", "headers"],
        enough: 2,
        required: &["rawPath", "requestContext", "requestContext.http"],
    },
    Form {
        name: "a VPC Lattice (V2) event",
        version: Some(b"2.0"),
        marks: &["method", "path", "headers", "queryStringParameters", "isBase64Encoded"],
        enough: 2,
        required: &["path", "method", "requestContext"],
    },
    Form {
        name: "a Function URL or HTTP API (payload 2.0) event",
        version: None,
        marks: &["rawPath", "rawQueryString"],
        enough: 1,
        required: &["rawPath", "requestContext", "requestContext.http"],
    },
    Form {
        name: "a VPC Lattice (V2) event",
        version: None,
        marks: &["method", "path"],
        enough: 2,
        required: &["version", "requestContext"],
    },
    Form {
        name: "an HTTP API (payload 1.0) event",
        version: Some(b"1.0"),
        marks: &["resource", "httpMethod", "path", "headers", "multiValueHeaders", "requestContext"],
        enough: 2,
        required: &["httpMethod", "path", "requestContext"],
    },
    Form {
        name: "an API Gateway REST API event",
        version: None,
        marks: &["resource", "httpMethod", "path", "headers", "multiValueHeaders", "queryStringParameters"],
        enough: 2,
        required: &["httpMethod", "path", "requestContext"],
    },
    Form {
        name: "an API Gateway REST API event",
        version: None,
        marks: &["httpMethod"],
        enough: 1,
        required: &["path", "requestContext"],
    },
];

/// "nearly a … event, but … is missing", if the event resembles one.
pub(super) fn seen(event: &Fields<'_>) -> Option<String> {
    let version = event.text("version");
    let (form, missing) = FORMS.iter().find_map(|form| {
        let right = form.version.is_none_or(|known| version.as_deref() == Some(known));
        let marks = form.marks.iter().filter(|mark| event.has(mark)).count();
        let missing = missing(event, form);
        (right && marks >= form.enough && !missing.is_empty()).then_some((form, missing))
    })?;
    let verb = if missing.len() == 1 { "is" } else { "are" };
    Some(format!("nearly {}, but {} {verb} missing", form.name, list(&missing)))
}

/// A member of an object that is missing itself is not named: the object is.
fn missing(event: &Fields<'_>, form: &Form) -> Vec<&'static str> {
    let lacks = |path: &&'static str| match path.split_once('.') {
        Some((outer, inner)) => event.get(outer).is_some() && event.object(outer).object(inner).is_empty(),
        None => event.get(path).is_none(),
    };
    form.required.iter().copied().filter(lacks).collect()
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn said(event: &str) -> Option<String> {
        let document = Document::parse(event.as_bytes()).unwrap();
        seen(&Fields::of(document.root()))
    }

    #[test]
    fn the_front_end_and_the_missing_fields_are_named() {
        let cases = [
            (r#"{"version":"2.0","rawPath":"/","headers":{}}"#, "payload 2.0", "`requestContext` is"),
            (
                r#"{"version":"2.0","routeKey":"$default","headers":{},"requestContext":{"stage":"x"}}"#,
                "Function URL",
                "`rawPath` and `requestContext.http` are",
            ),
            (r#"{"resource":"/","path":"/","headers":{},"requestContext":{}}"#, "REST API", "`httpMethod` is"),
            (r#"{"httpMethod":"GET","path":"/"}"#, "REST API", "`requestContext` is"),
            (r#"{"httpMethod":"GET","headers":{},"requestContext":{}}"#, "REST API", "`path` is"),
            (r#"{"version":"1.0","path":"/","headers":{},"requestContext":{}}"#, "payload 1.0", "`httpMethod` is"),
            (r#"{"raw_path":"/","is_base64_encoded":false}"#, "Lattice (V1)", "`method` is"),
            (r#"{"httpMethod":"GET"}"#, "REST API", "`path` and `requestContext` are"),
            (r#"{"version":"2.0","rawPath":"/","headers":{},"requestContext":{}}"#, "2.0", "`requestContext.http` is"),
            (r#"{"method":"GET","query_string_parameters":{}}"#, "Lattice (V1)", "`raw_path` is"),
            (r#"{"rawPath":"/","rawQueryString":""}"#, "payload 2.0", "`requestContext` is"),
            (r#"{"method":"GET","path":"/","headers":{}}"#, "Lattice (V2)", "`version` and `requestContext` are"),
            (r#"{"version":"2.0","path":"/","headers":{},"requestContext":{"a":1}}"#, "Lattice (V2)", "`method` is"),
        ];
        for (event, form, missing) in cases {
            let said = said(event).unwrap();
            assert!(said.contains(form) && said.contains(missing), "{event}: {said}");
        }
    }

    #[test]
    fn other_events_resemble_nothing() {
        for event in ["{}", r#"{"path":"/data"}"#, r#"{"version":"0","id":"1","source":"x"}"#, r#"{"headers":{}}"#] {
            assert_eq!(said(event), None, "{event}");
        }
    }
}
