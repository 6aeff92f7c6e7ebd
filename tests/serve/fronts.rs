//! All front ends, each on a port of its own.

use crate::client;
use crate::place::Place;

/// An application that says through which front end a request came.
const ORIGIN: &str = "
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f\"{environ['wsgi_lambda.origin']} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}\".encode()]
";

#[test]
fn each_front_end_has_a_port_and_the_first_page_links_them() {
    let place = Place::new();
    place.write("app.py", ORIGIN);
    let served = place.serve(&["app:app", "--front", "all"]);
    let ports = served.ports();
    let index = client::request(ports[0], "GET", "/", &[], b"").text();
    let names = [
        ("function-url", "/a", "function-url  /a"),
        ("http-api", "/a", "http-api-v2  /a"),
        ("http-api-v1", "/a", "http-api-v1  /a"),
        ("rest", "/prod/a", "rest /prod /a"),
        ("alb", "/a", "alb  /a"),
        ("alb-multi", "/a", "alb-multi  /a"),
        ("lattice", "/a", "lattice-v2  /a"),
        ("lattice-v1", "/a", "lattice-v1  /a"),
    ];
    for (port, (name, path, expected)) in ports[1..].iter().zip(names) {
        assert!(index.contains(&format!("http://127.0.0.1:{port}")) && index.contains(&format!(">{name}<")), "{index}");
        assert_eq!(client::request(*port, "GET", path, &[], b"").text(), expected);
        served.shows(&format!("{name} GET {path}  200"));
    }
}

#[test]
fn a_rest_api_has_its_stage_and_base_path() {
    let place = Place::new();
    place.write("app.py", ORIGIN);
    let served = place.serve(&["app:app", "--front", "rest", "--stage", "dev"]);
    assert_eq!(served.get("/dev/a").text(), "rest /dev /a");
    assert_ne!(served.get("/a").status, 200);
    let served = served.again(&["app:app", "--front", "rest", "--base-path", "/shop", "--domain", "api.example.com"]);
    assert_eq!(served.get("/shop/a").text(), "rest /shop /a");
    let served = served.again(&["app:app", "--front", "rest", "--domain", "api.example.com"]);
    served.shows(&format!("http://127.0.0.1:{}/  rest", served.ports()[0]));
    assert_eq!(served.get("/a").text(), "rest  /a", "the URLs of a custom domain have no stage");
}
