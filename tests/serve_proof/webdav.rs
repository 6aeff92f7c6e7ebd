//! WebDAV through the front ends that pass its methods.

use super::server::Server;
use super::support;

#[test]
fn files_are_made_moved_and_listed_with_webdav() {
    let folder = tempfile::tempdir().unwrap();
    let venv = support::root().join(".cache/venv");
    let variable = format!("FOLDER={}", folder.path().display());
    let options = ["--front", "all", "--venv", venv.to_str().unwrap(), "--env", &variable];
    let server = Server::start("app:app", "tests/apps/webdav", &options);
    for front_end in ["alb", "alb-multi", "lattice", "lattice-v1"] {
        let ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
            let reply = server.ask(front_end, method, path, headers, body);
            (reply.status, reply.text())
        };
        assert_eq!(ask("MKCOL", "/new/", &[], b"").0, 201, "{front_end}: {}", server.said());
        assert_eq!(ask("PUT", "/new/a.txt", &[], b"text").0, 201, "{front_end}");
        // A client names the destination as it sees the server. Lattice does not tell the scheme, so HTTPS is taken.
        let scheme = if front_end.starts_with("lattice") { "https" } else { "http" };
        let destination = format!("{scheme}://localhost{}/new/b%20c.txt", server.mount(front_end));
        let moved = ask("MOVE", "/new/a.txt", &[("Destination", &destination), ("Overwrite", "F")], b"");
        assert_eq!(moved.0, 201, "{front_end}: {}", moved.1);
        let (status, listed) = ask("PROPFIND", "/new/", &[("Depth", "1")], b"");
        assert_eq!(status, 207, "{front_end}");
        assert!(listed.contains("/new/b%20c.txt<") && !listed.contains("/new/a.txt<"), "{front_end}: {listed}");
        assert_eq!(ask("GET", "/new/b%20c.txt", &[], b""), (200, "text".to_owned()), "{front_end}");
        assert_eq!(ask("DELETE", "/new/", &[], b"").0, 204, "{front_end}");
    }
    // API Gateway and Function URLs know seven methods.
    for front_end in ["function-url", "http-api", "http-api-v1", "rest"] {
        let reply = server.ask(front_end, "PROPFIND", "/", &[], b"");
        assert!(matches!(reply.status, 403..=405), "{front_end}: {}", reply.status);
    }
}
