"""The application that `wsgi-lambda replay` runs without --app.

It answers every request with JSON that describes the request, so you see an event as the application sees it.
POST /upload returns the body unchanged, /cookies sets two cookies, /health returns plain text and /fail raises.
"""

import hashlib
import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl


def native(text):
    """Decodes a native string, which is bytes as Latin-1 (PEP 3333, "Unicode Issues")."""
    return text.encode("latin-1").decode("utf-8", "replace")


def cookies(environ):
    jar = SimpleCookie()
    try:
        jar.load(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return None
    return {name: morsel.value for name, morsel in jar.items()}


def headers(environ):
    """The request headers, by the names that can be restored from WSGI's."""
    found = {"content-type": environ.get("CONTENT_TYPE"), "content-length": environ.get("CONTENT_LENGTH")}
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            found[key[5:].replace("_", "-").lower()] = native(value)
    return {name: found[name] for name in sorted(found) if found[name]}


def describe(environ, body):
    return {
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "server": f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}",
        "script_name": native(environ.get("SCRIPT_NAME", "")),
        "path_info": native(environ.get("PATH_INFO", "")),
        "query": parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        "remote_addr": environ.get("REMOTE_ADDR"),
        "remote_user": environ.get("REMOTE_USER"),
        "headers": headers(environ),
        "cookies": cookies(environ),
        "body": {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()},
    }


def app(environ, start_response):
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    body = environ["wsgi.input"].read()
    if path.endswith("/fail"):
        raise RuntimeError("the demo app fails on /fail")
    if path.endswith("/health"):
        start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"ok\n"]
    if method == "POST" and path.endswith("/upload"):
        content_type = environ.get("CONTENT_TYPE") or "application/octet-stream"
        start_response("201 Created", [("Content-Type", content_type)])
        return [body]
    fields = [("Content-Type", "application/json")]
    if path.endswith("/cookies"):
        fields += [("Set-Cookie", "first=1; Path=/"), ("Set-Cookie", "second=2; Path=/; HttpOnly")]
    description = json.dumps(describe(environ, body), ensure_ascii=False).encode()
    start_response("200 OK", [*fields, ("Content-Length", str(len(description)))])
    return [] if method == "HEAD" else [description]
