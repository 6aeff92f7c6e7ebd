//! The list as it changes: Server-Sent Events, and readers that do not read.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;

use serde_json::Value;

use crate::site::Site;

/// A page that listens.
struct Page(BufReader<TcpStream>);

impl Page {
    fn new(site: &Site, last: Option<&str>) -> Self {
        let host = site.host();
        let mut headers = vec![("Host", host.as_str()), ("X-Inspector-Token", &site.token)];
        headers.extend(last.map(|id| ("Last-Event-ID", id)));
        Self(BufReader::new(site.connect("GET", "/changes", &headers)))
    }

    /// The next event: its id, and the requests that have changed.
    fn next(&mut self) -> (String, Vec<Value>) {
        let mut id = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            if let Some(text) = line.strip_prefix("id: ") {
                id = String::from(text.trim());
            }
            if let Some(text) = line.strip_prefix("data: ") {
                return (id, serde_json::from_str(text).unwrap());
            }
        }
    }

    /// The id of the event with which a request is over, and all that was told until then.
    fn until_over(&mut self, number: u64) -> (String, Vec<Value>) {
        let mut told = Vec::new();
        loop {
            let (id, requests) = self.next();
            told.extend(requests);
            if told.iter().any(|request| request["number"] == number && request["state"] == "done") {
                return (id, told);
            }
        }
    }
}

fn numbers(requests: &[Value]) -> Vec<u64> {
    requests.iter().map(|request| request["number"].as_u64().unwrap()).collect()
}

#[test]
fn requests_are_told_as_they_come_and_change() {
    let site = Site::new(&[]);
    let early = site.send("GET", "/cart", &[], b"");
    let mut page = Page::new(&site, None);
    assert_eq!(numbers(&page.until_over(early).1), [early]);
    let later = site.send("GET", "/search", &[], b"");
    let (_, told) = page.until_over(later);
    let last = told.last().unwrap();
    assert_eq!((last["target"].as_str(), last["status"].as_u64()), (Some("/search"), Some(200)));
}

#[test]
fn a_page_that_comes_back_is_told_what_it_has_missed() {
    let site = Site::new(&[]);
    let first = site.send("GET", "/cart", &[], b"");
    let (id, _) = Page::new(&site, None).until_over(first);
    let second = site.send("GET", "/search", &[], b"");
    let mut page = Page::new(&site, Some(&id));
    assert!(numbers(&page.until_over(second).1).iter().all(|number| *number == second));
    // An id that this run has never given: another run's.
    let mut page = Page::new(&site, Some("99999999"));
    assert_eq!(page.next().1.len(), 2);
    let mut page = Page::new(&site, Some("nonsense"));
    assert_eq!(page.next().1.len(), 2);
}

#[test]
fn only_the_last_requests_are_kept() {
    let site = Site::new(&["--concurrency", "1"]);
    for number in 0..230 {
        assert_eq!(site.served.get(&format!("/large?{number}")).body().len(), 150_000);
    }
    site.over(230);
    let list = site.get("/requests").json();
    let list = list.as_array().unwrap();
    assert!(list.len() <= 200 && list.len() > 5, "{}", list.len());
    assert_eq!(list.last().unwrap()["number"], 230);
    assert_eq!(site.get("/requests/1").status, 404);
    let told = Page::new(&site, None).next().1;
    assert_eq!(numbers(&told), numbers(list));
}

#[test]
fn a_page_that_does_not_read_holds_nobody_up() {
    let site = Site::new(&[]);
    let _pages: Vec<Page> = (0..20).map(|_| Page::new(&site, None)).collect();
    for number in 0..300 {
        assert_eq!(site.served.get(&format!("/cart?{}", "x".repeat(2_000 + number))).status, 200);
    }
}
