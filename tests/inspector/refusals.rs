//! Who is refused.

use crate::site::Site;

#[test]
fn names_that_lead_here_from_elsewhere_are_refused() {
    let site = Site::new(&[]);
    let port = site.port();
    for host in ["evil.test", &format!("evil.test:{port}"), &format!("127.0.0.1.evil.test:{port}"), "127.0.0.1"] {
        for path in ["/", "/page.js", "/requests"] {
            let reply = site.ask("GET", path, &[("Host", host), ("X-Inspector-Token", &site.token)]);
            assert_eq!(reply.status, 403, "{host} {path}");
            assert!(reply.text.contains("DNS rebinding") && reply.text.contains(&format!("http://127.0.0.1:{port}")));
            assert!(!reply.text.contains(&site.token));
        }
    }
    assert_eq!(site.ask("GET", "/", &[]).status, 403);
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        assert_eq!(site.ask("GET", "/", &[("Host", &host)]).status, 200, "{host}");
    }
}

#[test]
fn data_and_changes_need_the_token_of_this_run() {
    let site = Site::new(&[]);
    let number = site.send("GET", "/cart", &[], b"");
    let other = Site::new(&[]);
    assert_ne!(site.token, other.token);
    assert!(site.token.len() >= 32);
    let host = site.host();
    for (method, path) in [
        ("GET", "/requests".to_owned()),
        ("GET", "/about".to_owned()),
        ("GET", "/changes".to_owned()),
        ("GET", format!("/requests/{number}")),
        ("GET", format!("/requests/{number}/event")),
        ("GET", format!("/requests/{number}/curl")),
        ("GET", format!("/comparison?of={number}")),
        ("POST", format!("/requests/{number}/again")),
    ] {
        let headers = [("Host", host.as_str()), ("X-Inspector-Token", other.token.as_str())];
        for headers in [&headers[..1], &headers] {
            let reply = site.ask(method, &path, headers);
            assert_eq!(reply.status, 403, "{method} {path}");
            assert!(reply.text.contains("x-inspector-token"), "{}", reply.text);
        }
        // Another page that has the token, wherever from.
        for (name, value) in [("Origin", "http://evil.test"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")] {
            let reply = site.ask(method, &path, &[("Host", &host), ("X-Inspector-Token", &site.token), (name, value)]);
            assert_eq!(reply.status, 403, "{method} {path} {name}");
        }
    }
    assert_eq!(site.newest(), number, "nothing was sent");
    let origin = format!("http://{host}");
    let own = [("Host", host.as_str()), ("X-Inspector-Token", &site.token), ("Origin", &origin)];
    assert_eq!(site.ask("POST", &format!("/requests/{number}/again"), &own).status, 200);
    assert_eq!(site.newest(), number + 1);
}

#[test]
fn a_change_is_no_get() {
    let site = Site::new(&[]);
    let number = site.send("GET", "/cart", &[], b"");
    assert_eq!(site.get(&format!("/requests/{number}/again")).status, 405);
    assert_eq!(site.post("/requests").status, 405);
    assert_eq!(site.post(&format!("/requests/{number}/again?front_end=nothing")).status, 400);
    assert_eq!(site.newest(), number);
}

#[test]
fn no_other_page_can_show_or_read_this_one() {
    let site = Site::new(&[]);
    for path in ["/", "/page.js", "/page.css", "/requests"] {
        let reply = site.get(path);
        assert_eq!(reply.status, 200, "{path}");
        for header in [
            "cache-control: no-store",
            "x-frame-options: deny",
            "x-content-type-options: nosniff",
            "cross-origin-resource-policy: same-origin",
            "referrer-policy: no-referrer",
            "frame-ancestors 'none'",
            "script-src 'self';",
            "default-src 'none'",
        ] {
            assert!(reply.head.contains(header), "{path} has no {header}: {}", reply.head);
        }
        assert!(!reply.head.contains("unsafe-inline") && !reply.head.contains("access-control-allow-origin"));
    }
    let page = site.get("/").text;
    assert!(!page.contains("{{") && !page.contains("<style") && !page.contains(" style=") && !page.contains("onclick"));
    assert!(!page.contains("https://"), "the page loads nothing from elsewhere");
}

#[test]
fn unknown_addresses_are_not_found() {
    let site = Site::new(&[]);
    for path in ["/nothing", "/requests/1", "/requests/x", "/requests/1/event", "/comparison?of=1,2", "/../page.html"] {
        assert_eq!(site.get(path).status, 404, "{path}");
    }
    assert_eq!(site.get("/requests/99").text, "This request is not kept any more, or has never been.\n");
}

#[test]
fn it_can_be_left_out_and_moved() {
    let site = Site::new(&[]);
    assert_eq!(site.served.ports().len(), 2);
    let place = crate::place::Place::new();
    place.write("app.py", crate::APP);
    let taken = site.port().to_string();
    let said = place.fails(&["app:app", "--port", "0", "--inspector-port", &taken]);
    assert!(said.contains("it is taken; a free one is --inspector-port 0"), "{said}");
    let without = place.serve(&["app:app", "--no-inspector"]);
    assert_eq!(without.ports().len(), 1);
    assert_eq!(without.get("/cart").status, 200);
}
