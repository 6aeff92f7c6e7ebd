//! Handlers that other adapters made: functions of an event and a context, which are no WSGI applications.

use super::contents::{Contents, extension};
use super::wsgi;

/// A handler of the kind that AWS's own runtimes call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventHandler {
    /// Its file, unless a tool makes that at the deployment.
    pub(super) file: Option<String>,
    /// From 1.
    pub(super) line: usize,
    /// The adapter that made it, if one did.
    pub(super) adapter: Option<&'static str>,
    /// The name of the application in the same file, if the adapter was called with one.
    pub(super) application: Option<String>,
}

/// What adapters call the function that makes a handler of an application.
const MAKERS: &[(&str, &str)] =
    &[("Mangum(", "mangum"), ("make_lambda_handler(", "apig-wsgi"), ("LambdaAdapter(", "an adapter")];

/// What handler functions call, or import, for the work.
const HELPERS: &[(&str, &str)] = &[
    ("serverless_wsgi", "serverless-wsgi"),
    ("apig_wsgi", "apig-wsgi"),
    ("awsgi2", "awsgi"),
    ("awsgi", "awsgi"),
    ("mangum", "mangum"),
    ("zappa", "zappa"),
    ("aws_lambda_wsgi", "aws-lambda-wsgi"),
];

/// What a handler is, if it certainly is no WSGI application. Names that tools give tell it without the code.
pub(super) fn event_handler(contents: Option<&Contents>, handler: &str) -> Option<EventHandler> {
    let name = wsgi::name(handler)?;
    if name.factory {
        return None;
    }
    let attribute = name.attributes.join(".");
    let source = |contents: &Contents| {
        let file = wsgi::module_file(contents, &name).filter(|file| extension(file) == "py");
        file.map(str::to_owned)
    };
    let file = contents.and_then(source);
    let is_of_zappa = contents.is_some_and(|contents| contents.names().any(is_of_zappa));
    let made_later = match (name.module.rsplit('.').next()?, attribute.as_str()) {
        // The plugin packs this file; it is not in the sources.
        ("wsgi_handler", "handler") => Some("serverless-wsgi"),
        ("handler", "lambda_handler") if file.is_none() && is_of_zappa => Some("zappa"),
        _ => None,
    };
    if made_later.is_some() {
        return Some(EventHandler { file, line: 1, adapter: made_later, application: None });
    }
    let text = contents?.text(file.as_ref()?)?;
    in_text(&text, &attribute).map(|found| EventHandler { file, ..found })
}

fn is_of_zappa(name: &str) -> bool {
    name.starts_with("zappa_settings.")
}

fn in_text(text: &str, name: &str) -> Option<EventHandler> {
    text.lines().enumerate().find_map(|(index, line)| {
        let line = line.trim_end();
        let (adapter, application) = made(line, name).or_else(|| defined(text, line, name))?;
        Some(EventHandler { file: None, line: index + 1, adapter, application })
    })
}

type Made = (Option<&'static str>, Option<String>);

/// `handler = Mangum(app)`
fn made(line: &str, name: &str) -> Option<Made> {
    let (annotation, value) = line.strip_prefix(name)?.split_once('=')?;
    if !annotation.trim().is_empty() && !annotation.trim_start().starts_with(':') {
        return None;
    }
    let (maker, adapter) = MAKERS.iter().find(|(maker, _)| value.contains(maker))?;
    let argument = value.split_once(maker)?.1;
    let application: String = argument.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
    // `Mangum(WSGIMiddleware(app))`: the call is no name.
    let is_name = !application.is_empty() && !argument[application.len()..].starts_with(['(', '.']);
    Some((Some(adapter), is_name.then_some(application)))
}

/// `def handler(event, context):`
fn defined(text: &str, line: &str, name: &str) -> Option<Made> {
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ")?.strip_prefix(name)?;
    let mut parameters = rest.trim_start().strip_prefix('(')?.split(')').next()?.split(',');
    let mut next = || parameters.next()?.split([':', '=']).next().map(str::trim);
    let (first, second) = (next()?, next().unwrap_or_default());
    let is_event = ["event", "_event", "evt", "lambda_event"].contains(&first);
    if !is_event && !["context", "_context", "lambda_context"].contains(&second) {
        return None;
    }
    let is_used =
        |helper: &str| text.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|word| word == helper);
    let adapter = HELPERS.iter().find(|(helper, _)| is_used(helper)).map(|(_, adapter)| *adapter);
    Some((adapter, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_for_events_are_known_by_how_they_are_made() {
        let found = |text: &str| in_text(text, "handler").map(|it| (it.adapter, it.application));
        let app = || Some("app".to_owned());
        assert_eq!(found("handler = Mangum(app, lifespan='off')"), Some((Some("mangum"), app())));
        assert_eq!(found("handler: Any = mangum.Mangum(app)"), Some((Some("mangum"), app())));
        assert_eq!(found("handler = Mangum(WSGIMiddleware(app))"), Some((Some("mangum"), None)));
        assert_eq!(found("handler = make_lambda_handler(app)"), Some((Some("apig-wsgi"), app())));
        let text = "import awsgi\ndef handler(event, context):\n    return awsgi.response(app, event, context)\n";
        assert_eq!(found(text), Some((Some("awsgi"), None)));
        assert_eq!(found("def handler(event: dict, context):"), Some((None, None)));
        assert_eq!(found("def handler(e, context: Any):"), Some((None, None)));
        for text in ["def handler(environ, start_response):", "handler = Flask(__name__)", "handlers = Mangum(app)", ""]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
