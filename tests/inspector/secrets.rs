//! Secrets leave the server only when they are asked for.

use crate::site::Site;

const SECRET: &str = "SECRET";

/// A request with a secret in every place that has some.
fn send(site: &Site) -> u64 {
    let headers = [
        ("Authorization", "Bearer SECRET-1"),
        ("Cookie", "session=SECRET-2; theme=SECRET-3"),
        ("X-Api-Key", "SECRET-4"),
        ("X-Amz-Security-Token", "SECRET-5"),
        ("Referer", "http://localhost/from?access_token=SECRET-6"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Harmless", "shown-7"),
    ];
    let form = b"user=ann&password=SECRET-8&comment=shown-9";
    site.send("POST", "/login?token=SECRET-10&page=shown-11&X-Amz-Signature=SECRET-12", &headers, form)
}

#[test]
fn they_are_masked_in_every_form_until_they_are_asked_for() {
    for front_end in ["function-url", "rest", "alb-multi", "lattice"] {
        let site = Site::new(&["--front", front_end, "--stage", "dev"]);
        let prefix = if front_end == "rest" { "/dev" } else { "" };
        let number = send_to(&site, prefix);
        for form in ["", "/event", "/curl"] {
            let masked = site.get(&format!("/requests/{number}{form}"));
            assert_eq!(masked.status, 200);
            assert!(!masked.text.contains(SECRET), "{front_end} {form}: {}", around(&masked.text));
            let shown = site.get(&format!("/requests/{number}{form}?secrets=shown"));
            assert!(shown.text.contains("SECRET-1\"") || shown.text.contains("SECRET-1'"), "{front_end} {form}");
            assert!(shown.text.contains("SECRET-10"), "{front_end} {form}");
        }
        let list = site.get("/requests").text;
        assert!(!list.contains(SECRET) && list.contains("page=shown-11"), "{list}");
        let comparison = site.get(&format!("/comparison?of={number},{number}"));
        assert!(!comparison.text.contains(SECRET), "{}", around(&comparison.text));
        let events = site.get(&format!("/events?of={number},{number}"));
        assert!(!events.text.contains(SECRET), "{}", around(&events.text));
    }
}

fn send_to(site: &Site, prefix: &str) -> u64 {
    if prefix.is_empty() {
        return send(site);
    }
    let headers = [("Authorization", "Bearer SECRET-1"), ("Cookie", "session=SECRET-2")];
    site.send(
        "POST",
        &format!("{prefix}/login?token=SECRET-10&page=shown-11"),
        &headers,
        b"{\"password\":\"SECRET-8\"}",
    )
}

fn around(text: &str) -> &str {
    text.lines().find(|line| line.contains(SECRET)).unwrap_or_default()
}

#[test]
fn what_is_no_secret_is_shown() {
    let site = Site::new(&[]);
    let detail = site.detail(send(&site));
    let text = detail.to_string();
    for shown in ["shown-7", "shown-9", "shown-11", "user=ann", "Bearer ••••••", "session=••••••; theme=••••••"]
    {
        assert!(text.contains(shown), "{shown}");
    }
    assert_eq!(detail["request"]["body"]["text"], "user=ann&password=••••••&comment=shown-9");
    let cookie = detail["headers"].as_array().unwrap().iter().find(|row| row["name"] == "set-cookie").unwrap();
    assert_eq!(cookie["sent"][0], "session=••••••; Path=/; HttpOnly");
    assert_eq!(cookie["mark"], "same", "what is compared is not masked");
}

#[test]
fn json_and_forms_with_files_are_masked_too() {
    let site = Site::new(&[]);
    let json = br#"{"user": "ann", "password": "SECRET-1", "code": 404}"#;
    let number = site.send("POST", "/echo", &[("Content-Type", "application/json")], json);
    let detail = site.detail(number);
    assert!(!detail.to_string().contains(SECRET), "{detail}");
    assert!(detail.to_string().contains("404"));
    let form = b"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nSECRET-2\r\n--b--\r\n";
    let number = site.send("POST", "/echo", &[("Content-Type", "multipart/form-data; boundary=b")], form);
    let detail = site.detail(number);
    assert!(!detail.to_string().contains(SECRET), "{detail}");
}

#[test]
fn logs_are_the_applications_own_words() {
    let site = Site::new(&[]);
    let number = site.send("GET", "/password=SECRET", &[], b"");
    site.logged(number, "serves /password=SECRET");
}
