//! The head of a streamed response.

use bytes::Bytes;
use proptest::prelude::*;
use wsgi_lambda::gateway::{Fault, Head, Settings, StreamedHead, response};
use wsgi_lambda::request::FrontEnd;

use crate::{lines, request, settings};

const WITH_PRELUDE: &[u8] = b"application/vnd.awslambda.http-integration-response";

fn streaming(front_end: FrontEnd) -> Settings {
    Settings { streams: true, ..settings(front_end) }
}

/// Reads chunks as they come: the head, and all that follows.
fn read(
    front_end: FrontEnd,
    method: &str,
    content_type: Option<&[u8]>,
    chunks: &[&[u8]],
) -> Result<(Head, Vec<u8>), Fault> {
    let (client, settings) = (request(method, "/", &[], b""), streaming(front_end));
    let mut head = StreamedHead::new(content_type);
    let mut chunks = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk));
    while let Some(chunk) = chunks.next() {
        if let Some((head, first)) = head.push(&chunk, &client, &settings)? {
            return Ok((head, chunks.fold(first.to_vec(), |body, chunk| [body, chunk.to_vec()].concat())));
        }
    }
    head.end(&client, &settings).map(|(head, body)| (head, body.to_vec()))
}

const PRELUDE: &[u8] =
    b"{\"statusCode\":201,\"headers\":{\"Content-Type\":\"text/plain\",\"X-A\":\"1\"},\"cookies\":[\"a=1\",\"b=2\"]}";

fn with_body(prelude: &[u8], body: &[u8]) -> Vec<u8> {
    [prelude, &[0; 8], body].concat()
}

#[test]
fn a_prelude_becomes_the_head() {
    for front_end in [FrontEnd::FunctionUrl, FrontEnd::Rest] {
        let whole = with_body(PRELUDE, b"\0body");
        let (head, body) = read(front_end, "GET", Some(WITH_PRELUDE), &[&whole]).unwrap();
        assert_eq!((head.status.as_u16(), &*body), (201, &b"\0body"[..]), "{front_end}");
        let lines = lines(&head);
        for line in ["content-type: text/plain", "set-cookie: a=1", "set-cookie: b=2", "x-a: 1"] {
            assert!(lines.iter().any(|known| known == line), "{front_end}: {lines:?}");
        }
        assert!(lines.iter().any(|line| line.starts_with("x-amzn-requestid: ")), "{front_end}: {lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("content-length")), "{front_end}: {lines:?}");
    }
}

#[test]
fn a_status_and_types_have_defaults() {
    for (front_end, content_type) in
        [(FrontEnd::FunctionUrl, "application/octet-stream"), (FrontEnd::Rest, "application/json")]
    {
        let (head, _) = read(front_end, "GET", Some(WITH_PRELUDE), &[&with_body(b"{}", b"x")]).unwrap();
        assert_eq!((head.status.as_u16(), &head.headers["content-type"]), (200, &content_type.parse().unwrap()));
    }
}

#[test]
fn bytes_without_a_prelude_arrive_as_they_are() {
    let envelope = b"{\"statusCode\":404,\"body\":\"x\"}";
    let (head, body) = read(FrontEnd::FunctionUrl, "GET", Some(b"application/json"), &[envelope]).unwrap();
    assert_eq!((head.status.as_u16(), &*body), (200, &envelope[..]));
    assert_eq!(head.headers["content-type"], "application/json");
    let (head, body) = read(FrontEnd::FunctionUrl, "GET", None, &[]).unwrap();
    assert_eq!((head.status.as_u16(), body.len()), (200, 0));
    assert_eq!(head.headers["content-type"], "application/octet-stream");

    let refused = read(FrontEnd::Rest, "GET", Some(b"application/json"), &[envelope]);
    assert!(matches!(refused, Err(Fault::Malformed(_))));
    assert!(matches!(read(FrontEnd::Rest, "GET", None, &[]), Err(Fault::Malformed(_))));
}

#[test]
fn what_is_not_streamed_though_it_should_be() {
    let envelope = Bytes::from_static(b"{\"statusCode\":404,\"body\":\"x\"}");
    let client = request("GET", "/", &[], b"");
    let got = response(&envelope, &client, &streaming(FrontEnd::FunctionUrl)).unwrap();
    assert_eq!((got.head.status.as_u16(), got.body), (200, envelope.clone()));
    assert!(matches!(response(&envelope, &client, &streaming(FrontEnd::Rest)), Err(Fault::Malformed(_))));
}

#[test]
fn what_is_streamed_though_the_front_end_does_not() {
    let stream = Bytes::from(with_body(PRELUDE, b"lost"));
    let client = request("GET", "/", &[], b"");
    let got = response(&stream, &client, &settings(FrontEnd::Rest)).unwrap();
    assert_eq!((got.head.status.as_u16(), got.body.len()), (201, 0));
    assert_eq!(got.head.headers["x-a"], "1");
    for front_end in [FrontEnd::FunctionUrl, FrontEnd::HttpApiV2, FrontEnd::Alb, FrontEnd::LatticeV2] {
        let refused = response(&stream, &client, &settings(front_end));
        assert!(matches!(refused, Err(Fault::Malformed(_))), "{front_end}");
    }
}

#[test]
fn malformed_preludes_are_refused() {
    let is_malformed = |front_end, stream: &[u8]| {
        matches!(read(front_end, "GET", Some(WITH_PRELUDE), &[stream]), Err(Fault::Malformed(_)))
    };
    for front_end in [FrontEnd::FunctionUrl, FrontEnd::Rest] {
        for prelude in [&b"not JSON"[..], b"", b"[]", b"{\"statusCode\":99}", b"{\"headers\":[]}"] {
            assert!(is_malformed(front_end, &with_body(prelude, b"x")), "{front_end}: {prelude:?}");
        }
        assert!(is_malformed(front_end, PRELUDE), "{front_end}: no delimiter");
        assert!(is_malformed(front_end, &[PRELUDE, &[0; 7], b"x"].concat()), "{front_end}: seven NULs");
    }
    assert!(is_malformed(FrontEnd::Rest, &with_body(b"{\"body\":\"\"}", b"x")));
    assert!(!is_malformed(FrontEnd::FunctionUrl, &with_body(b"{\"body\":\"\"}", b"x")));
}

#[test]
fn preludes_are_bounded() {
    for (front_end, most) in [(FrontEnd::Rest, 16 * 1024), (FrontEnd::FunctionUrl, 1 << 20)] {
        let chunks = vec![&b"          "[..]; most / 10 + 1];
        let endless = read(front_end, "GET", Some(WITH_PRELUDE), &chunks);
        assert!(matches!(endless, Err(Fault::Malformed(_))), "{front_end}");
        let fits = with_body(&[&vec![b' '; most - 20][..], b"{}"].concat(), b"");
        assert!(read(front_end, "GET", Some(WITH_PRELUDE), &[&fits]).is_ok(), "{front_end}");
    }
}

#[test]
fn clients_of_head_receive_no_body() {
    let prelude = b"{\"statusCode\":200,\"headers\":{\"Content-Length\":\"7\"}}";
    let (client, settings) = (request("HEAD", "/", &[], b""), streaming(FrontEnd::FunctionUrl));
    let chunk = Bytes::from(with_body(prelude, b"body"));
    let (head, body) = StreamedHead::new(Some(WITH_PRELUDE)).push(&chunk, &client, &settings).unwrap().unwrap();
    assert_eq!((&head.headers["content-length"], body.len()), (&"7".parse().unwrap(), 0));
}

#[test]
fn lengths_that_are_none_are_dropped() {
    for length in ["x", "", "-1"] {
        let prelude = format!("{{\"headers\":{{\"Content-Length\":\"{length}\"}}}}");
        let stream = with_body(prelude.as_bytes(), b"x");
        let (head, _) = read(FrontEnd::FunctionUrl, "GET", Some(WITH_PRELUDE), &[&stream]).unwrap();
        assert_eq!(head.headers.get("content-length"), None, "{length:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_may_end_anywhere(body in prop::collection::vec(any::<u8>(), 0..20), cuts in prop::collection::vec(0_usize..120, 0..8)) {
        let whole = with_body(PRELUDE, &body);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &whole[cut[0]..cut[1]]).collect();
        let (head, received) = read(FrontEnd::Rest, "GET", Some(WITH_PRELUDE), &chunks).unwrap();
        prop_assert_eq!(head.status.as_u16(), 201);
        prop_assert_eq!(received, body);
    }

    #[test]
    fn no_stream_makes_the_gateway_panic(chunks in prop::collection::vec(prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..12), 0..6)) {
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        for front_end in [FrontEnd::Rest, FrontEnd::FunctionUrl] {
            let _ = read(front_end, "GET", Some(WITH_PRELUDE), &chunks);
        }
    }
}
