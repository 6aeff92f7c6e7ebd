//! The command of *copy as curl*, run by a shell: the same request arrives.

use std::process::Command;

use serde_json::Value;

use crate::site::Site;
use crate::support::skipped;

type Fields<'a> = &'a [(&'a str, &'a str)];

/// What of a request has to come again. `parts`: method, target, headers and body.
fn parts(detail: &Value) -> Value {
    let own = ["content-length", "connection", "expect"];
    let mut headers: Vec<&Value> = detail["request"]["headers"].as_array().unwrap().iter().collect();
    headers.retain(|field| !own.contains(&field[0].as_str().unwrap()));
    headers.sort_by_key(ToString::to_string);
    serde_json::json!([detail["method"], detail["target"], headers, detail["request"]["body"]])
}

#[test]
fn the_same_request_comes_again() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skipped("curl is not installed (apt-get install curl)");
    }
    let site = Site::new(&[]);
    let host = format!("localhost:{}", site.served.port());
    let every_byte: Vec<u8> = (0..=255).collect();
    let long = vec![b'y'; 200_000];
    let text = ("Content-Type", "text/plain");
    let requests: [(&str, &str, Fields<'_>, &[u8]); 11] = [
        ("GET", "/a?b=1&c=%20", &[], b""),
        ("GET", "/it's/$HOME/$(id)/%22?x=[1]&y={a,b}", &[("X-Odd", "it's \"quoted\" $HOME \\ !")], b""),
        ("GET", "/a/../b/./c", &[("X-Empty", ""), ("Accept", "text/html"), ("User-Agent", "a test")], b""),
        ("POST", "/echo", &[text], b"it's\na \"body\"\n"),
        ("POST", "/echo", &[text], b"@/etc/passwd"),
        ("POST", "/echo", &[], b"no type"),
        ("POST", "/echo", &[("Content-Type", "application/octet-stream")], &every_byte),
        ("PUT", "/echo", &[text], &long),
        ("DELETE", "/echo", &[], b""),
        ("PATCH", "/echo?token=SECRET", &[("Authorization", "Bearer SECRET"), ("Cookie", "a=1; b=2")], b"{}"),
        ("HEAD", "/a", &[], b""),
    ];
    for (method, target, headers, body) in requests {
        // The client names no port in `Host`, and curl has to find one there.
        let number = {
            let before = site.newest();
            let length = body.len();
            let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
            head.extend(["Content-Length: ", &length.to_string(), "\r\n"]);
            for (name, value) in headers {
                head.extend([name, ": ", value, "\r\n"]);
            }
            let mut connection = site.served.connect(&[(head + "\r\n").as_bytes(), body].concat());
            let _ = std::io::copy(&mut connection, &mut std::io::sink());
            site.over(before + 1);
            before + 1
        };
        let command = site.get(&format!("/requests/{number}/curl?secrets=shown")).text;
        // As a file: an argument of `sh` would be too short for some.
        site.served.place().write("command", &command);
        let output = Command::new("sh").arg("command").current_dir(site.served.place().path()).output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        site.over(number + 1);
        let (first, second) = (site.whole_detail(number), site.whole_detail(number + 1));
        assert_eq!(parts(&second), parts(&first), "{command}");
    }
}

#[test]
fn the_command_hides_secrets_until_they_are_shown() {
    let site = Site::new(&[]);
    let number = site.send("GET", "/a?token=SECRET", &[("Cookie", "id=SECRET")], b"");
    let command = site.get(&format!("/requests/{number}/curl")).text;
    assert!(command.contains("token=••••••") && command.contains("'cookie: id=••••••'"), "{command}");
}
