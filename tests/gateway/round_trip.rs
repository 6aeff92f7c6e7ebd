//! What a client sends is what the application sees: random requests become events, and the runtime's own rooms read
//! them. Where the two differ, `docs/environ.md` says so.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue, Version};
use proptest::prelude::*;
use wsgi_lambda::config::RequestConfig;
use wsgi_lambda::environ::{Name, environ, header_key};
use wsgi_lambda::event as reader;
use wsgi_lambda::gateway::{ClientRequest, Fault, Settings, event};
use wsgi_lambda::request::FrontEnd;

use crate::{request, settings};

/// What is in front of the application's own URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mount {
    Nothing,
    /// A stage on the service's own domain.
    Stage,
    /// A custom domain's base path.
    Base,
    /// The same without a stage in the path.
    BaseAlone,
}

/// What a client sends.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    /// With a slash at its beginning, without the mount point.
    path: String,
    query: String,
    fields: Vec<(String, Vec<u8>)>,
    cookies: Vec<String>,
    content_type: Option<&'static str>,
    is_compressed: bool,
    body: Vec<u8>,
    version: Version,
    has_domain: bool,
    mount: Mount,
    binary_media_types: Vec<String>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let of_path = "([a-zA-Z0-9._~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2}|%zz|%C3%A9){0,12}";
    let of_query = "([a-zA-Z0-9._~!$'()*+,;:@/?-]|[=&]|%[0-9a-fA-F]{2}|%E2%82%AC|%q){0,16}";
    let value = prop::collection::vec(prop_oneof![9 => 0x21_u8..0x7F, 1 => 0x80_u8..=0xFF, 2 => Just(b' ')], 1..12)
        .prop_map(|value| [b"v".as_slice(), &value, b"v"].concat());
    let name = prop_oneof![8 => "x-[ab]", 1 => "x_[ab]", 1 => Just("proxy".to_owned()), 1 => Just("date".to_owned())];
    let content_types = prop::sample::select(vec![
        None,
        Some("text/html; charset=latin-1"),
        Some("application/json"),
        Some("APPLICATION/JSON; a=b"),
        Some("application/octet-stream"),
        Some("application/x-www-form-urlencoded"),
        Some("image/png"),
    ]);
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[a-zé€😀\"\\\\\n\u{0}]{0,20}".prop_map(String::into_bytes),
    ];
    let versions = prop::sample::select(vec![Version::HTTP_10, Version::HTTP_11, Version::HTTP_2]);
    let binary = prop::sample::select(vec![vec![], vec!["*/*"], vec!["image/*", "application/octet-stream"]]);
    (
        ("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS", of_path, of_query),
        (prop::collection::vec((name, value), 0..6), prop::collection::vec("[a-z]{1,3}=[a-zA-Z0-9%]{0,6}", 0..4)),
        (content_types, any::<bool>(), body, versions, any::<bool>()),
        (prop::sample::select(vec![Mount::Nothing, Mount::Stage, Mount::Base, Mount::BaseAlone]), binary),
    )
        .prop_map(|((method, path, query), (fields, cookies), rest, (mount, binary))| {
            let (content_type, is_compressed, body, version, has_domain) = rest;
            let binary_media_types = binary.into_iter().map(str::to_owned).collect();
            let path = format!("/{path}");
            Sent {
                method,
                path,
                query,
                fields,
                cookies,
                content_type,
                is_compressed,
                body,
                version,
                has_domain,
                mount,
                binary_media_types,
            }
        })
}

fn is_api(front_end: FrontEnd) -> bool {
    matches!(front_end, FrontEnd::Rest | FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2)
}

fn is_http_api(front_end: FrontEnd) -> bool {
    matches!(front_end, FrontEnd::HttpApiV1 | FrontEnd::HttpApiV2)
}

impl Sent {
    /// Only APIs have mount points.
    fn mount(&self, front_end: FrontEnd) -> Mount {
        if is_api(front_end) { self.mount } else { Mount::Nothing }
    }

    fn through(&self, front_end: FrontEnd) -> (ClientRequest, Settings, RequestConfig) {
        let mut settings = settings(front_end);
        settings.binary_media_types.clone_from(&self.binary_media_types);
        settings.domain = self.has_domain.then(|| "app.example.com".to_owned());
        let mut config = RequestConfig::default();
        let mount = match self.mount(front_end) {
            Mount::Nothing => "",
            Mount::Stage => {
                "prod".clone_into(&mut settings.stage);
                settings.domain = self.has_domain.then(|| "abc.execute-api.eu-west-1.amazonaws.com".to_owned());
                "/prod"
            }
            base @ (Mount::Base | Mount::BaseAlone) => {
                if base == Mount::Base {
                    "prod".clone_into(&mut settings.stage);
                }
                settings.base_path = Some("/shop".to_owned());
                config.base_path = Some(b"/shop".to_vec());
                "/shop"
            }
        };
        let question_mark = if self.query.is_empty() { "" } else { "?" };
        let target = format!("{mount}{}{question_mark}{}", self.path, self.query);
        let mut client = request(&self.method, &target, &[("te", "trailers"), ("connection", "x-gone")], &self.body);
        client.version = self.version;
        client.peer = "[2001:db8::7]:4711".parse().unwrap();
        let mut add = |name: &str, value: &[u8]| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            client.headers.append(name, HeaderValue::from_bytes(value).unwrap());
        };
        add("x-gone", b"1");
        add("x-forwarded-for", b"6.6.6.6");
        add("x-forwarded-proto", b"gopher");
        for (name, value) in &self.fields {
            add(name, value);
        }
        for cookies in self.cookies.chunks(2) {
            add("cookie", cookies.join("; ").as_bytes());
        }
        if let Some(content_type) = self.content_type {
            add("content-type", content_type.as_bytes());
        }
        if self.is_compressed {
            add("content-encoding", b"gzip");
        }
        (client, settings, config)
    }

    /// Whether the front end passes the body on as text.
    fn is_text(&self, front_end: FrontEnd) -> bool {
        let kind = self.content_type.unwrap_or_default().split(';').next().unwrap().to_ascii_lowercase();
        if front_end == FrontEnd::Rest {
            let is_listed = ["image/png", "application/octet-stream"].contains(&kind.as_str());
            return match self.binary_media_types.first().map(String::as_str) {
                None => true,
                Some("*/*") => false,
                Some(_) => !is_listed,
            };
        }
        ["text/html", "application/json"].contains(&kind.as_str()) && !self.is_compressed
    }

    fn body_as_seen(&self, front_end: FrontEnd) -> Vec<u8> {
        if self.is_text(front_end) {
            String::from_utf8_lossy(&self.body).into_owned().into_bytes()
        } else {
            self.body.clone()
        }
    }

    /// The variables of the client's own fields.
    fn fields_as_seen(&self, front_end: FrontEnd) -> BTreeMap<String, Vec<u8>> {
        let mut seen: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let kept = self.fields.iter().filter(|(name, _)| !name.contains('_') && name != "proxy");
        for (name, value) in kept {
            let value = match String::from_utf8(value.clone()) {
                Ok(text) => text,
                Err(_) => value.iter().map(|&byte| char::from(byte)).collect(),
            };
            let separator: &[u8] = if front_end == FrontEnd::LatticeV1 { b", " } else { b"," };
            let whole = seen.entry(header_key(name)).or_default();
            if front_end == FrontEnd::Alb {
                whole.clear();
            } else if !whole.is_empty() {
                whole.extend_from_slice(separator);
            }
            whole.extend_from_slice(value.as_bytes());
        }
        if !self.cookies.is_empty() {
            let all = self.cookies.join("; ");
            let last = self.cookies.chunks(2).last().unwrap().join("; ");
            let seen_cookies = if front_end == FrontEnd::Alb { last } else { all };
            seen.insert("HTTP_COOKIE".to_owned(), seen_cookies.into_bytes());
        }
        seen
    }
}

/// Percent-decodes. What is no escape stays.
fn unquote(text: &str) -> Vec<u8> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match escape {
            Some(hex) if bytes[at] == b'%' => {
                out.push(u8::from_str_radix(hex, 16).unwrap());
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

/// The pairs of a query by name, each through `read`.
fn pairs(query: &str, read: impl Fn(&str) -> String) -> BTreeMap<String, Vec<String>> {
    let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.entry(read(name)).or_default().push(read(value));
    }
    pairs
}

fn check_query(front_end: FrontEnd, sent: &str, seen: &str) {
    let decoded = |text: &str| String::from_utf8_lossy(&unquote(&text.replace('+', " "))).into_owned();
    match front_end {
        // REST APIs take both `&` and `;` for separators.
        FrontEnd::Rest => {
            assert_eq!(pairs(&sent.replace(';', "&"), decoded), pairs(seen, decoded), "{front_end}");
        }
        FrontEnd::HttpApiV1 => assert_eq!(pairs(sent, decoded), pairs(seen, decoded), "{front_end}"),
        FrontEnd::AlbMulti => assert_eq!(pairs(sent, str::to_owned), pairs(seen, str::to_owned), "{front_end}"),
        FrontEnd::Alb => {
            let mut last = pairs(sent, str::to_owned);
            for values in last.values_mut() {
                *values = vec![values.pop().unwrap()];
            }
            assert_eq!(last, pairs(seen, str::to_owned), "{front_end}");
        }
        _ => assert_eq!(sent, seen, "{front_end}"),
    }
}

fn check(sent: &Sent, front_end: FrontEnd) {
    let (client, settings, config) = sent.through(front_end);
    if front_end == FrontEnd::Rest && sent.query.contains("%q") {
        assert!(matches!(event(&client, &settings), Err(Fault::BadRequest(_))));
        return;
    }
    let json = event(&client, &settings).unwrap();
    let document = reader::parse(&json).unwrap();
    let read = reader::probe(&document).unwrap();
    assert_eq!(read.front_end(), front_end);
    let request = read.decode(&config).unwrap();
    let mut body = vec![0; request.body.decoded_len().unwrap()];
    request.body.decode_into(&mut body).unwrap();
    let environ = environ(&request, body.len());
    let variable = |wanted: &str| {
        let named = |name: &Name<'_>| match name {
            Name::Fixed(name) => *name == wanted,
            Name::Header(name) => header_key(name) == wanted,
        };
        environ.variables.iter().find(|(name, _)| named(name)).map(|(_, value)| value.to_vec())
    };
    let text = |wanted: &str| variable(wanted).map(|value| String::from_utf8(value).unwrap()).unwrap_or_default();

    assert_eq!(body, sent.body_as_seen(front_end), "{front_end}");
    assert_eq!(text("REQUEST_METHOD"), sent.method);
    let path = unquote(&sent.path);
    let path = if is_http_api(front_end) { String::from_utf8_lossy(&path).into_owned().into_bytes() } else { path };
    assert_eq!(variable("PATH_INFO").unwrap(), path, "{front_end}");
    let script_name = match sent.mount(front_end) {
        Mount::Nothing => "",
        Mount::Stage => "/prod",
        Mount::Base | Mount::BaseAlone => "/shop",
    };
    assert_eq!(text("SCRIPT_NAME"), script_name, "{front_end}");
    check_query(front_end, &sent.query, &text("QUERY_STRING"));
    for (name, value) in sent.fields_as_seen(front_end) {
        assert_eq!(variable(&name), Some(value), "{front_end}: {name}");
    }
    for name in ["HTTP_X_GONE", "HTTP_TE", "HTTP_CONNECTION", "HTTP_PROXY"] {
        assert_eq!(variable(name), None, "{front_end}: {name}");
    }
    assert_eq!(text("CONTENT_TYPE"), sent.content_type.unwrap_or_default());
    let length = variable("CONTENT_LENGTH").map(|length| String::from_utf8(length).unwrap());
    assert_eq!(length.unwrap_or_else(|| "0".to_owned()), body.len().to_string());
    assert_eq!(text("REMOTE_ADDR"), "2001:db8::7", "{front_end}");

    let is_lattice = matches!(front_end, FrontEnd::LatticeV1 | FrontEnd::LatticeV2);
    let scheme = if sent.has_domain || is_lattice { "https" } else { "http" }; // Lattice does not tell the scheme
    assert_eq!(environ.scheme.as_str(), scheme, "{front_end}");
    let domain = settings.domain.as_deref();
    assert_eq!(text("SERVER_NAME"), domain.unwrap_or("127.0.0.1"), "{front_end}");
    assert_eq!(text("HTTP_HOST"), domain.unwrap_or("127.0.0.1:8000"), "{front_end}");
    assert_eq!(text("SERVER_PORT"), if sent.has_domain { "443" } else { "8000" }, "{front_end}");
    let tells = is_api(front_end) || front_end == FrontEnd::FunctionUrl;
    let protocol = if tells && sent.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
    assert_eq!(text("SERVER_PROTOCOL"), protocol, "{front_end}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applications_see_what_clients_send(sent in sent()) {
        for front_end in FrontEnd::ALL {
            check(&sent, front_end);
        }
    }

    #[test]
    fn no_request_makes_the_gateway_panic(
        method in "[A-Z!#a-z]{1,9}",
        target in prop_oneof![any::<String>(), any::<String>().prop_map(|target| format!("/{target}"))],
        fields in prop::collection::vec(("[a-z-]{1,12}|host|connection|x-amzn-trace-id|cookie", "[ -~é]{0,12}"), 0..5),
        domain in prop::option::of(any::<String>()),
        stage in any::<String>(),
        base_path in prop::option::of(any::<String>()),
        test_invoke in any::<bool>(),
        ids in any::<(String, String)>(),
    ) {
        for front_end in FrontEnd::ALL {
            let mut client = request(&method, &target, &[], b"\xFF");
            for (name, value) in &fields {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                client.headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            (client.request_id, client.trace_id) = ids.clone();
            let settings = Settings {
                front_end,
                stage: stage.clone(),
                base_path: base_path.clone(),
                domain: domain.clone(),
                binary_media_types: vec![stage.clone()],
                streams: false,
                test_invoke,
            };
            if let Ok(json) = event(&client, &settings) {
                let document = reader::parse(&json).unwrap();
                prop_assert_eq!(reader::probe(&document).unwrap().front_end(), front_end);
            }
        }
    }
}
