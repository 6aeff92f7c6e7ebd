//! The pages that `serve` itself shows in a browser.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

/// The header with which a page asks whether the application starts by now.
pub(super) const PROBE: &str = "x-wsgi-lambda-serve-probe";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
pre{overflow:auto;padding:1rem;border:1px solid;border-radius:4px;font-size:14px}\
:root{color-scheme:light dark}";

/// Loads the page again when the application starts.
const RELOAD: &str = "<script>setInterval(async()=>{try{const r=await fetch(location.href,{headers:{\"";
const RELOAD_END: &str = "\":\"1\"},cache:\"no-store\"});if(r.status===204)location.reload()}catch{}},500)</script>";

/// The application does not start: its error and traceback, from what the runtime has reported.
pub(super) fn init_error(report: &Bytes, method: &Method) -> Bytes {
    let report: Value = serde_json::from_slice(report).unwrap_or_default();
    let field = |name: &str| report.get(name).and_then(Value::as_str).unwrap_or_default();
    let trace = report.get("stackTrace").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let trace: String =
        trace.iter().filter_map(Value::as_str).fold(String::new(), |text, line| text + line.trim_end() + "\n");
    let title = "The application does not start";
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    );
    // Writing to a string cannot fail.
    let _ = write!(page, "<p><b>{}</b>: {}</p>", escaped(field("errorType")), escaped(field("errorMessage")));
    if !trace.is_empty() {
        let _ = write!(page, "<pre>{}</pre>", escaped(&trace));
    }
    page.push_str(
        "<p>This page is from <code>wsgi-lambda serve</code>. It loads again when the application starts.</p>",
    );
    // A form is not sent twice.
    if *method == Method::GET {
        page.extend([RELOAD, PROBE, RELOAD_END]);
    }
    page.into()
}

/// The front ends by name, with their URLs.
pub(super) fn index(fronts: impl Iterator<Item = (&'static str, String)>) -> Bytes {
    let title = "Front ends";
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><ul>"
    );
    for (name, url) in fronts {
        let _ = write!(page, "<li><a href=\"{0}\">{name}</a> <code>{0}</code>", escaped(&url)); // cannot fail
    }
    page.push_str("</ul>");
    page.into()
}

/// Text for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut text, char| {
        match char {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            char => text.push(char),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_as_text_and_never_as_html() {
        let report =
            Bytes::from_static(br#"{"errorType":"<b>","errorMessage":"</p><script>","stackTrace":["  <x>\n"]}"#);
        let page = String::from_utf8(init_error(&report, &Method::POST).to_vec()).unwrap();
        assert!(
            page.contains("<b>&lt;b&gt;</b>: &lt;/p&gt;&lt;script&gt;") && page.contains("<pre>  &lt;x&gt;\n</pre>"),
            "{page}"
        );
        assert!(!page.contains("<script>"), "{page}");
        let page = String::from_utf8(init_error(&report, &Method::GET).to_vec()).unwrap();
        assert_eq!(page.matches("<script>").count(), 1);
        assert!(
            !String::from_utf8(init_error(&Bytes::from_static(b"x"), &Method::GET).to_vec()).unwrap().contains("<pre>")
        );
    }
}
