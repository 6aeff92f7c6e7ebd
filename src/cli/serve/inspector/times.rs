//! Where the time of a request went, as spans that follow each other.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::journal::{Init, Times};

/// `{"spans": [{"name", "start", "end"}], "chunks": [[1.5, 20]], "total": 3.0}`, in milliseconds from the arrival of the
/// request. A span that has not ended has `null` as its end; `total` is `null` until the client has the response. `before` is
/// what goes on, or went on, in a request that no sandbox has taken.
pub(super) fn form(times: &Times, before: &'static str) -> Value {
    let chunks: Vec<(f64, usize)> = times.chunks.iter().map(|(at, bytes)| (millis(*at), *bytes)).collect();
    let spans: Vec<Value> = spans(times, before)
        .into_iter()
        .map(|span| json!({ "name": span.name, "start": millis(span.start), "end": span.end.map(millis) }))
        .collect();
    json!({ "spans": spans, "chunks": chunks, "total": times.done.map(millis) })
}

struct Span {
    name: &'static str,
    start: Duration,
    end: Option<Duration>,
}

fn spans(times: &Times, before: &'static str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut add = |name, start, end| spans.push(Span { name, start, end });
    let Some(taken) = times.taken else {
        add(before, Duration::ZERO, times.done);
        return spans;
    };
    match times.init {
        Some(Init { took, imports }) => {
            // The init may have begun before the request came. The imports are the last part of it, but for the poll.
            let start = taken.saturating_sub(took);
            let import = taken.saturating_sub(imports).max(start);
            add("waiting", Duration::ZERO, Some(start));
            add("init", start, Some(import));
            add("imports", import, Some(taken));
        }
        None => add("waiting", Duration::ZERO, Some(taken)),
    }
    // A function that fails posts no first byte.
    let first = times.first_byte.or(times.done);
    add("application", taken, first);
    if let Some(first) = times.first_byte {
        add("response", first, times.done);
    }
    spans
}

/// Milliseconds with three decimals.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(times: &Times) -> Vec<(String, Value)> {
        let form = form(times, "waiting");
        let spans = form["spans"].as_array().cloned().unwrap_or_default();
        spans.iter().map(|span| (span["name"].as_str().unwrap_or_default().to_owned(), span["end"].clone())).collect()
    }

    /// When the sandbox took the event, the first byte came, the client had all; 0 for not yet.
    fn times(init: u64, taken: u64, first_byte: u64, done: u64) -> Times {
        let at = |millis: u64| (millis > 0).then(|| Duration::from_millis(millis));
        let init = at(init).map(|took| Init { took, imports: took * 3 / 4 });
        Times { init, taken: at(taken), first_byte: at(first_byte), done: at(done), chunks: Vec::new() }
    }

    #[test]
    fn spans_follow_each_other() {
        let cold = times(80, 100, 110, 112);
        let expected =
            [("waiting", 20.0), ("init", 40.0), ("imports", 100.0), ("application", 110.0), ("response", 112.0)];
        assert_eq!(names(&cold), expected.map(|(name, end)| (name.to_owned(), json!(end))));
    }

    #[test]
    fn an_unfinished_request_has_an_open_span() {
        assert_eq!(names(&Times::default()), [("waiting".to_owned(), Value::Null)]);
        assert_eq!(names(&times(0, 1, 0, 0)).last().unwrap(), &("application".to_owned(), Value::Null));
    }

    #[test]
    fn a_request_that_no_sandbox_took_has_one_span() {
        assert_eq!(names(&times(0, 0, 0, 1)), [("waiting".to_owned(), json!(1.0))]);
    }
}
