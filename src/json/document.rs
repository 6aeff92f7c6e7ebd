//! A JSON text that is read once, into a flat list of where its values begin and end. Nothing is copied or decoded.

use super::plain::plain_len;

/// A valid JSON text and the places of its values.
#[derive(Debug)]
pub struct Document<'e> {
    text: &'e str,
    nodes: Vec<Node>,
}

/// One value. The members of an object come after it in order, each as a node for the name and a node for the value.
/// The items of an array come after it in order.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: usize,
    end: usize,
    /// The index of the first node after this value and all of its parts.
    next: usize,
    kind: ValueKind,
    /// True for a string that has escapes.
    escaped: bool,
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    at: usize,
}

/// The kind of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of RFC 8259")]
pub enum ValueKind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl<'e> Document<'e> {
    /// Reads a JSON text.
    ///
    /// # Errors
    /// The error of `serde_json`, if the bytes are not JSON (RFC 8259) in UTF-8.
    pub fn parse(bytes: &'e [u8]) -> serde_json::Result<Self> {
        let parsed = std::str::from_utf8(bytes).ok().and_then(|text| {
            // Events have a value or a name in every fourteen bytes, or fewer; bodies hardly any.
            let nodes = Vec::with_capacity((bytes.len() / 12).min(1024));
            let nodes = Parser { text: bytes, at: 0, nodes, open: Vec::new() }.run()?;
            Some(Self { text, nodes })
        });
        parsed.ok_or_else(|| match serde_json::from_slice::<&serde_json::value::RawValue>(bytes) {
            Err(error) => error,
            Ok(_) => serde::de::Error::custom("invalid JSON"),
        })
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, at: 0 }
    }
}

impl<'d> Value<'d> {
    fn node(&self) -> &'d Node {
        &self.document.nodes[self.at]
    }

    /// The value's JSON text, unchanged.
    pub fn text(&self) -> &'d str {
        &self.document.text[self.node().start..self.node().end]
    }

    /// The value's kind.
    pub fn kind(&self) -> ValueKind {
        self.node().kind
    }

    /// The text between a string's quotes, with its escapes; `None` for any other kind.
    pub fn literal(&self) -> Option<&'d str> {
        let node = self.node();
        (self.kind() == ValueKind::String).then(|| &self.document.text[node.start + 1..node.end - 1])
    }

    /// Whether the value is a string that stands in the document as this text, without an escape.
    pub fn is_plain(&self, text: &str) -> bool {
        let node = self.node();
        // The length first: members are looked for by name, and most names differ in it.
        node.end - node.start == text.len() + 2 && !node.escaped && self.literal() == Some(text)
    }

    /// Whether the value is a string that has escapes.
    pub fn is_escaped(&self) -> bool {
        self.node().escaped
    }

    /// The names and values of an object; nothing for any other kind.
    pub fn members(&self) -> impl Iterator<Item = (Value<'d>, Value<'d>)> + use<'d> {
        let mut parts = self.parts(ValueKind::Object);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// The items of an array; nothing for any other kind.
    pub fn items(&self) -> impl Iterator<Item = Value<'d>> + use<'d> {
        self.parts(ValueKind::Array)
    }

    fn parts(&self, kind: ValueKind) -> impl Iterator<Item = Value<'d>> + use<'d> {
        let document = self.document;
        let end = if self.kind() == kind { self.node().next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let value = (at < end).then_some(Value { document, at })?;
            at = value.node().next;
            Some(value)
        })
    }
}

/// Finds where values begin and end. Each step returns `None` for text that is not JSON.
struct Parser<'e> {
    text: &'e [u8],
    at: usize,
    nodes: Vec<Node>,
    /// The indexes of the objects and arrays that are not closed yet. A list instead of recursion: the sender chooses
    /// how deep an event is nested, and the stack is limited.
    open: Vec<usize>,
}

impl Parser<'_> {
    fn run(mut self) -> Option<Vec<Node>> {
        self.value()?;
        while let Some(&container) = self.open.last() {
            self.blank();
            let is_object = self.nodes[container].kind == ValueKind::Object;
            let is_first = self.nodes.len() == container + 1;
            if self.peek()? == if is_object { b'}' } else { b']' } {
                self.at += 1;
                self.open.pop();
                let next = self.nodes.len();
                let node = &mut self.nodes[container];
                (node.end, node.next) = (self.at, next);
                continue;
            }
            if !is_first {
                self.take(b',')?;
            }
            if is_object {
                self.blank();
                (self.peek()? == b'"').then(|| self.string())??;
                self.blank();
                self.take(b':')?;
            }
            self.value()?;
        }
        self.blank();
        (self.at == self.text.len()).then_some(self.nodes)
    }

    /// Reads a value, or only the opening bracket of an object or an array.
    fn value(&mut self) -> Option<()> {
        self.blank();
        let start = self.at;
        let kind = match self.peek()? {
            b'"' => return self.string(),
            b'{' => self.open(ValueKind::Object),
            b'[' => self.open(ValueKind::Array),
            b't' => self.word(b"true", ValueKind::True)?,
            b'f' => self.word(b"false", ValueKind::False)?,
            b'n' => self.word(b"null", ValueKind::Null)?,
            _ => self.number()?,
        };
        self.push(start, kind, false);
        Some(())
    }

    fn push(&mut self, start: usize, kind: ValueKind, escaped: bool) {
        let next = self.nodes.len() + 1;
        self.nodes.push(Node { start, end: self.at, next, kind, escaped });
    }

    fn open(&mut self, kind: ValueKind) -> ValueKind {
        self.at += 1;
        self.open.push(self.nodes.len());
        kind
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8], kind: ValueKind) -> Option<ValueKind> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())?;
        Some(kind)
    }

    fn number(&mut self) -> Option<ValueKind> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(ValueKind::Number)
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            match self.skip_plain()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return None, // control characters have to be escaped
            }
        }
        self.push(start, ValueKind::String, escaped);
        Some(())
    }

    /// Moves to after the next quote, backslash or control character, and returns that character.
    fn skip_plain(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        let plain = plain_len(rest);
        self.at += plain + 1;
        rest.get(plain).copied()
    }

    fn escape(&mut self) -> Option<()> {
        let letter = self.peek()?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The document as `serde_json` would have it.
    fn to_serde(value: Value<'_>) -> serde_json::Value {
        match value.kind() {
            ValueKind::Object => value
                .members()
                .map(|(name, value)| (serde_json::from_str::<String>(name.text()).unwrap(), to_serde(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            ValueKind::Array => value.items().map(to_serde).collect(),
            _ => serde_json::from_str(value.text()).unwrap(),
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
            "[a-z\"\\\\\n]{30,80}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::vec((any::<String>(), inner), 0..8)
                    .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    #[test]
    fn what_is_not_json_is_refused_with_serde_s_words() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{1:2}",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "-",
            "\"\x01\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "nul",
            "[1 2]",
            "{} {}",
            "[}",
            "{]",
            "\"a",
            "NaN",
            "[1",
            "tru e",
            "{\"a\"}",
            ",",
            "]",
        ] {
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(text).unwrap_err().to_string();
            assert_eq!(Document::parse(text.as_bytes()).unwrap_err().to_string(), theirs, "{text}");
        }
        assert!(Document::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(Document::parse(deep.as_bytes()).unwrap().root().items().count(), 1);
    }

    proptest! {
        #[test]
        fn every_document_is_read_as_serde_reads_it(json in any_json(), pretty in any::<bool>()) {
            let text = if pretty { format!("\r\n\t{json:#} ") } else { json.to_string() };
            let document = Document::parse(text.as_bytes()).unwrap();
            // Parsed again: serde_json rounds the last digit of some numbers.
            prop_assert_eq!(to_serde(document.root()), serde_json::from_str::<serde_json::Value>(&text).unwrap());
        }

        #[test]
        fn any_change_to_a_document_is_judged_as_serde_judges_it(json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()) {
            let mut bytes = json.to_string().into_bytes();
            let at = at.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
            let theirs = serde_json::from_slice::<&serde_json::value::RawValue>(&bytes);
            let utf8 = std::str::from_utf8(&bytes).is_ok();
            prop_assert_eq!(Document::parse(&bytes).is_ok(), theirs.is_ok() && utf8);
        }
    }
}
