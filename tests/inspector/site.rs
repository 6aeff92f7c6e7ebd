//! `serve` with its inspector, and a client of the inspector that can leave out what it should send.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use serde_json::Value;

use crate::client;
use crate::place::{PATIENCE, Place, Served};

/// The inspector's reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }
}

/// `serve` at work, and the token of its page.
pub(crate) struct Site {
    pub(crate) served: Served,
    pub(crate) token: String,
}

impl Site {
    /// Serves the application of these tests.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let place = Place::new();
        place.write("app.py", crate::APP);
        Self::of(place, arguments)
    }

    pub(crate) fn of(place: Place, arguments: &[&str]) -> Self {
        let served = place.serve(&[&["app:app"], arguments].concat());
        let site = Self { served, token: String::new() };
        let page = site.ask("GET", "/", &[("Host", &site.host())]);
        let (_, rest) = page.text.split_once("name=\"inspector-token\" content=\"").unwrap();
        let token = rest.split('"').next().unwrap().to_owned();
        Self { token, ..site }
    }

    /// The inspector's port: it is shown last.
    pub(crate) fn port(&self) -> u16 {
        *self.served.ports().last().unwrap()
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// A connection to the inspector that has asked with these headers, and no others.
    pub(crate) fn connect(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        connection.write_all((head + "\r\n").as_bytes()).unwrap();
        connection
    }

    /// Asks with these headers, and no others.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut text = Vec::new();
        self.connect(method, path, headers).read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, text) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_ascii_lowercase(), text: text.to_owned() }
    }

    /// Asks as the page does.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[("Host", &self.host()), ("X-Inspector-Token", &self.token)])
    }

    pub(crate) fn post(&self, path: &str) -> Reply {
        self.ask("POST", path, &[("Host", &self.host()), ("X-Inspector-Token", &self.token)])
    }

    /// Sends a request to the application, and returns its number when the journal has all of it.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> u64 {
        let before = self.newest();
        client::request(self.served.port(), method, path, headers, body).body();
        self.over(before + 1);
        before + 1
    }

    /// The number of the newest request.
    pub(crate) fn newest(&self) -> u64 {
        let list = self.get("/requests").json();
        list.as_array().unwrap().last().map_or(0, |newest| newest["number"].as_u64().unwrap())
    }

    /// Waits until a request is over.
    pub(crate) fn over(&self, number: u64) {
        self.served.until(&format!("request {number} is over"), || {
            let state = self.get(&format!("/requests/{number}"));
            state.status == 200 && matches!(state.json()["state"].as_str(), Some("done" | "cut"))
        });
    }

    pub(crate) fn detail(&self, number: u64) -> Value {
        self.get(&format!("/requests/{number}")).json()
    }

    /// The same when the log has these words: lines may come after the response.
    pub(crate) fn logged(&self, number: u64, words: &str) -> Value {
        self.served.until(&format!("{words:?} is logged"), || self.detail(number)["log"].to_string().contains(words));
        self.detail(number)
    }

    /// The same with secrets.
    pub(crate) fn whole_detail(&self, number: u64) -> Value {
        self.get(&format!("/requests/{number}?secrets=shown")).json()
    }
}
