//! The page: its files are in the program, and it loads nothing else.

use include_dir::{Dir, include_dir};

use super::reply::{self, Reply};

static FILES: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/cli/serve/inspector/page");

/// Where the token is put.
const TOKEN_MARK: &str = "{{token}}";

/// A file of the page, if the path leads to one.
pub(super) fn file(path: &str, token: &str) -> Option<Reply> {
    let name = match path.strip_prefix('/')? {
        "" => "page.html",
        "page.html" => return None,
        name => name,
    };
    let file = FILES.get_file(name)?;
    let kind = match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    if name == "page.html" {
        return Some(reply::of(kind, file.contents_utf8()?.replace(TOKEN_MARK, token)));
    }
    Some(reply::of(kind, file.contents()))
}
