"""What the inspector is shown: an application that does what the path says, and otherwise returns its environ."""

import json
import logging
import os
import time

log = logging.getLogger("shop")
log.setLevel("INFO")


def chunks():
    for number in range(10):
        time.sleep(0.03)
        yield f"chunk {number}\n".encode()


def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read()
    # A log is shown as text, whatever it says.
    print("<script>document.title = 'run by the log'</script>" if path.startswith("/evil") else f"serves {path}")
    if path == "/error":
        log.warning("the price of a pear is missing")
        raise ValueError("no price for <b>pears</b>")
    if path == "/exit":
        os._exit(3)
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
        return chunks()
    if path == "/binary":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return [bytes(range(256)) * 20]
    if path == "/large":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"a line of text\n" * 10_000]
    if path == "/echo":
        start_response("200 OK", [("Content-Type", environ.get("CONTENT_TYPE", "text/plain"))])
        return [body]
    if path == "/missing":
        start_response("404 Not Found", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<h1>Not here</h1><script>document.title = 'run by the body'</script>"]
    if path == "/old":
        start_response("302 Found", [("Location", "/products?page=1"), ("Content-Type", "text/plain")])
        return [b""]
    if path.startswith(("/products", "/login", "/cart", "/search")):
        fields = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        if path == "/login":
            fields.append(("Set-Cookie", "session=SECRET-of-the-response; Path=/; HttpOnly"))
        start_response("200 OK", fields)
        items = [{"id": 1, "name": "Apple", "price": 1.2}, {"id": 2, "name": "Pear", "price": 1.5}]
        return [json.dumps({"items": items, "next": None}).encode()]
    start_response("200 OK", [("Content-Type", "application/json"), ("X-From", "the application")])
    return [json.dumps({name: value for name, value in environ.items() if isinstance(value, str)}).encode()]


def on_event(event, context):
    return {"keys": sorted(event)}
