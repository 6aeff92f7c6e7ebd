//! What clients should not send, and what they do all the same. In the end, others are still served.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use crate::client;
use crate::place::{Place, Served};

/// What comes back until the connection ends.
fn rest(connection: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => {
                assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "the connection stays open");
                break;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_well(served: &Served) {
    assert_eq!(served.get("/still").text(), "hello from /still\n");
}

#[test]
fn broken_http_is_refused() {
    let served = Place::app().serve(&["app:app"]);
    for (broken, status) in [
        (&b"nonsense\r\n\r\n"[..], "400"),
        (b"GET / HTTP/9.9\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", "400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
    ] {
        let mut connection = served.connect(broken);
        let _ = connection.shutdown(Shutdown::Write);
        let got = rest(&mut connection);
        assert!(got.is_empty() || got.starts_with(&format!("HTTP/1.1 {status}")), "{broken:?}: {got}");
    }
    served.shows("not a request that HTTP allows");
    is_well(&served);
}

#[test]
fn a_hundred_thousand_headers_are_refused() {
    let served = Place::app().serve(&["app:app"]);
    let mut connection = served.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n");
    let headers = (0..100_000).fold(String::new(), |headers, number| headers + &format!("x-{number}: y\r\n"));
    let sent = connection.write_all(headers.as_bytes()).and_then(|()| connection.write_all(b"\r\n"));
    let got = rest(&mut connection);
    assert!(got.starts_with("HTTP/1.1 431") || got.is_empty() && sent.is_err() || got.is_empty(), "{got}");
    served.shows("not a request that HTTP allows");
    is_well(&served);
}

#[test]
fn slow_senders_are_not_waited_for() {
    let served = Place::app().serve(&["app:app", "--client-timeout", "0.5"]);
    let mut silent = served.connect(b"");
    let mut half = served.connect(b"GET / HTTP/1.1\r\nHo");
    let mut preface = served.connect(b"PRI * HT");
    let mut body = served.connect(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    for connection in [&mut silent, &mut half, &mut preface, &mut body] {
        let got = rest(connection);
        assert!(got.is_empty() || got.starts_with("HTTP/1.1 408"), "{got}");
    }
    served.shows("no request came");
    served.shows("POST /  the client stopped sending its body");
    is_well(&served);
    // Browsers open connections that they may never use: those are no news.
    let silent = silent.local_addr().unwrap().to_string();
    assert!(!served.shown().contains(&silent), "{}", served.shown());
}

#[test]
fn a_body_over_the_limit_is_refused_by_the_front_end() {
    let served = Place::app().serve(&["app:app"]);
    let large = vec![b'x'; 6 * 1024 * 1024 + 1];
    assert_eq!(served.post("/length", &large).status, 413);
    served.shows("POST /length  413");
    // A client that asks first is told before it sends.
    let mut asking =
        served.connect(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    assert!(rest(&mut asking).starts_with("HTTP/1.1 413"));
    let fits = vec![b'x'; 4 * 1024 * 1024];
    assert_eq!(served.post("/length", &fits).text(), fits.len().to_string());
    is_well(&served);
}

#[test]
fn a_client_that_asks_before_it_sends_is_answered() {
    let served = Place::app().serve(&["app:app"]);
    let request =
        b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n";
    let mut connection = served.connect(request);
    let mut first = [0; 25];
    connection.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(b"body").unwrap();
    let got = rest(&mut connection);
    assert!(got.starts_with("HTTP/1.1 200") && got.ends_with("hello from /echo\nbody"), "{got}");
}

#[test]
fn a_chunked_body_is_put_together() {
    let served = Place::app().serve(&["app:app"]);
    let request = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                    2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n";
    let got = rest(&mut served.connect(request));
    assert!(got.ends_with("hello from /echo\nbody"), "{got}");
}

#[test]
fn clients_that_hang_up_are_no_trouble() {
    let served = Place::app().serve(&["app:app"]);
    for begun in [&b"GET / HT"[..], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", b""] {
        drop(served.connect(begun));
    }
    served.shows("POST /  the client left before the end of its body");
    for _ in 0..20 {
        drop(served.connect(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    is_well(&served);
}

#[test]
fn an_application_that_dies_takes_no_other_request_with_it() {
    let served = Place::app().serve(&["app:app"]);
    let port = served.port();
    let clients: Vec<_> = (0..20)
        .map(|number| {
            let path = ["/exit", "/segfault", "/x", "/y"][number % 4];
            std::thread::spawn(move || (path, client::request(port, "GET", path, &[], b"").status))
        })
        .collect();
    for client in clients {
        let (path, status) = client.join().unwrap();
        assert_eq!(status, if path.len() == 2 { 200 } else { 502 }, "{path}");
    }
    is_well(&served);
}

#[test]
fn an_absolute_target_names_the_host_without_its_user() {
    let got = answer("200 OK", b"GET http://ann:secret@shop.test/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(got.ends_with("\r\nshop.test"), "{got}");
}

#[test]
fn a_status_without_a_phrase_of_its_own_has_none() {
    let got = answer("299 Odd", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(got.starts_with("HTTP/1.1 299 \r\n"), "{got}");
}

/// What a client gets from an application that answers with this status and the client's `Host`.
fn answer(status: &str, request: &[u8]) -> String {
    let place = Place::new();
    let body = "return [environ['HTTP_HOST'].encode()]";
    let app = format!("def app(environ, start_response):\n    start_response('{status}', [])\n    {body}\n");
    place.write("app.py", &app);
    rest(&mut place.serve(&["app:app"]).connect(request))
}
