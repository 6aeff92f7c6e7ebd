//! Commands: what `wsgi-lambda`, serverless-wsgi and Zappa send by a direct invocation.

use super::fields::Fields;
use super::source::source;
use crate::json::{Document, ValueKind};
use crate::source::Source;

/// Whether an event that is not an HTTP request asks for a command. Such an event is from whoever may invoke the function:
/// an event of a service is none, whatever it carries.
pub fn is_command(event: &Document<'_>) -> bool {
    let members = Fields::of(event.root());
    let is = |name: &str, kind| members.get(name).is_some_and(|value| value.kind() == kind);
    let wrapped = ["_wsgi_lambda", "_serverless-wsgi"].iter().any(|name| is(name, ValueKind::Object));
    let zappas = ["manage", "command", "raw_command"].iter().any(|name| is(name, ValueKind::String));
    (wrapped || zappas) && source(event) == Source::Direct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_direct_invocation_is_a_command() {
        let cases = [
            (r#"{"_wsgi_lambda":{"command":"manage","arguments":["check"]}}"#, true),
            (r#"{"_serverless-wsgi":{"command":"exec","data":"print(1)"}}"#, true),
            (r#"{"manage":"migrate --noinput"}"#, true),
            (r#"{"command":"jobs.clean","days":3}"#, true),
            (r#"{"raw_command":"print(1)"}"#, true),
            (r#"{"manage":{"a":1}}"#, false),
            (r#"{"_wsgi_lambda":"manage"}"#, false),
            (r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}],"manage":"migrate"}"#, false),
            (r#"{"detail-type":"x","source":"shop","command":"jobs.clean"}"#, false),
            (r#"{"requestContext":{"connectionId":"a","eventType":"MESSAGE"},"command":"x.y"}"#, false),
            (r#"{"detail":{"manage":"migrate"}}"#, false),
            (r#"["manage"]"#, false),
        ];
        for (event, expected) in cases {
            assert_eq!(is_command(&Document::parse(event.as_bytes()).unwrap()), expected, "{event}");
        }
    }
}
