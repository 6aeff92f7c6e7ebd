"""A WSGI application with no framework: PEP 3333 and the standard library only."""

import json
from http.cookies import SimpleCookie
from urllib.parse import parse_qs
from wsgiref.util import application_uri


def text(value):
    """WSGI strings carry bytes as Latin-1 (PEP 3333); the web speaks UTF-8."""
    return value.encode("latin-1").decode("utf-8", "replace")


def index(environ, start_response):
    page = "<!doctype html><title>plain</title><p>Grüße from plain WSGI 👋</p>"
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [page.encode()]


def show(environ, start_response):
    cookies = SimpleCookie(text(environ.get("HTTP_COOKIE", "")))
    facts = {
        "method": environ["REQUEST_METHOD"],
        "path": text(environ.get("PATH_INFO", "")),
        "script_name": text(environ.get("SCRIPT_NAME", "")),
        "root_url": root_url(environ),
        "args": parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True),
        "cookies": {name: morsel.value for name, morsel in cookies.items()},
        "remote_addr": environ.get("REMOTE_ADDR"),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(facts).encode()]


def echo(environ, start_response):
    # A server may leave CONTENT_LENGTH empty or out; reading without a limit could block forever.
    length = int(environ.get("CONTENT_LENGTH") or 0)
    content_type = environ.get("CONTENT_TYPE") or "application/octet-stream"
    start_response("200 OK", [("Content-Type", content_type)])
    return [environ["wsgi.input"].read(length)]


def cookies(environ, start_response):
    headers = [
        ("Content-Type", "text/plain"),
        ("Set-Cookie", "flavour=oat; Path=/; HttpOnly; SameSite=Lax"),
        ("Set-Cookie", "theme=dark; Path=/; Max-Age=3600"),
    ]
    start_response("200 OK", headers)
    return [b"two cookies\n"]


def redirect(environ, start_response):
    location = root_url(environ) + "json"
    start_response("302 Found", [("Location", location), ("Content-Type", "text/plain")])
    return [b""]


def stream(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"one\n"
    yield b"two\n"
    yield b"three\n"


def binary(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [bytes(range(256))]


def error(environ, start_response):
    raise RuntimeError("this route always fails")


def not_found(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not found\n"]


def root_url(environ):
    return application_uri(environ).rstrip("/") + "/"


ROUTES = {
    ("GET", "/"): index,
    ("GET", "/json"): show,
    ("POST", "/echo"): echo,
    ("GET", "/cookies"): cookies,
    ("GET", "/redirect"): redirect,
    ("GET", "/stream"): stream,
    ("GET", "/binary"): binary,
    ("GET", "/error"): error,
}


def application(environ, start_response):
    # HEAD is GET without the body, and leaving the body out is the server's part.
    method = "GET" if environ["REQUEST_METHOD"] == "HEAD" else environ["REQUEST_METHOD"]
    view = ROUTES.get((method, environ.get("PATH_INFO") or "/"), not_found)
    return view(environ, start_response)
