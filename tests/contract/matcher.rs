//! Expected values: something equal, or a matcher.

use serde_json::Value;

/// How a value differs from what is expected: something equal, or an object with one of the keys
/// `$any` (one of these; `null` is absence), `$has` (all of these texts, in any case), `$has_any`, `$lacks`,
/// `$present`, `$absent`, `$parts` (the same parts of a query in any order), `$set` (the same items in any order),
/// `$folded` (equal texts in any case).
pub(crate) fn differs(expected: &Value, got: Option<&Value>) -> Option<String> {
    let text = got.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    let folded = text.to_lowercase();
    let has = |wanted: &Value| folded.contains(&text_of(wanted).to_lowercase());
    let matcher = expected.as_object().and_then(|map| map.iter().find(|(key, _)| key.starts_with('$')));
    let fits = match matcher.map(|(key, value)| (key.as_str(), value)) {
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
    (!fits).then(|| format!("expected {}, got {got}", short(expected)))
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort();
    items
}

pub(crate) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text is wanted, not {value}"))
}

pub(crate) fn short(value: &Value) -> String {
    cut(&value.to_string())
}

pub(crate) fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(600).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
