"""The application that every server serves: each path is one behaviour."""

import json
import sys

SEEN = [
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "SERVER_PROTOCOL",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "HTTP_COOKIE",
    "HTTP_X_A",
    "HTTP_X_B",
    "HTTP_PROXY",
    "HTTP_X_UNDER_SCORE",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_TRANSFER_ENCODING",
]
state = {"closed": 0, "ran": []}


def header(value, *others, status="200 OK"):
    return status, [("Content-Type", "text/plain"), *others], value


class Closing:
    def __init__(self, chunks):
        self.chunks = iter(chunks)

    def __iter__(self):
        return self.chunks

    def close(self):
        state["closed"] += 1


def generated(*chunks, fail=None):
    yield from chunks
    state["ran"].append(len(chunks))
    if fail:
        raise fail


def environ_of(environ):
    seen = {name: environ.get(name) for name in SEEN}
    seen["REMOTE_ADDR"] = "REMOTE_ADDR" in environ
    seen["url"] = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    seen["keys"] = sorted(name for name in environ if name.startswith("HTTP_X_") and "FORWARDED" not in name)
    seen["version"] = list(environ["wsgi.version"])
    return json.dumps(seen).encode()


def app(environ, start_response):
    path = environ["PATH_INFO"]
    name = path.strip("/").partition("/")[0]
    body = (
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ["REQUEST_METHOD"] != "GET"
        else b""
    )
    simple = {
        "echo": header(body, ("X-Length", str(len(body)))),
        "empty": header(b""),
        "latin1": header(b"x", ("X-Text", "caf\xe9")),
        "repeated": header(b"x", ("X-A", "1"), ("X-A", "2"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
        "types": ("200 OK", [("Content-Type", "text/html"), ("Content-Type", "text/plain")], b"x"),
        "length": header(b"12345", ("Content-Length", "5")),
        "too-long": header(b"12345", ("Content-Length", "3")),
        "bad-length": header(b"12345", ("Content-Length", "five")),
        "status-header": header(b"x", ("Status", "404 No")),
        "hop": header(b"x", ("X-A", "1"), ("Keep-Alive", "timeout=5")),
        "location": header(b"", ("Location", "/elsewhere"), status="302 Found"),
        "no-content": ("204 No Content", [], b""),
        "no-content-body": ("204 No Content", [], b"body"),
        "reset-body": ("205 Reset Content", [], b"body"),
        "not-modified": ("304 Not Modified", [("ETag", '"1"')], b""),
        "teapot": header(b"short", status="418 I'm a teapot"),
        "own-status": header(b"x", status="299 Own Words"),
        "bad-status": ("200", [("Content-Type", "text/plain")], b"x"),
        "newline": header(b"x", ("X-A", "1\r\nX-B: 2")),
        "list-header": ("200 OK", [["X-A", "1"]], b"x"),
        "tuple-headers": ("200 OK", (("X-A", "1"),), b"x"),
        "nul": ("200 OK", [("X-A", "1\0")], b"x"),
        "two-lengths": ("200 OK", [("Content-Length", "5"), ("Content-Length", "3")], b"12345"),
        "low-status": ("099 Low", [("Content-Type", "text/plain")], b"x"),
        "number": ("200 OK", [("X-A", 1)], b"x"),
        "binary": ("200 OK", [("Content-Type", "application/octet-stream")], bytes(range(256))),
        "utf8": header("Grüße €".encode()),
    }
    if name in simple:
        status, headers, value = simple[name]
        start_response(status, headers)
        return [value]
    if name == "environ":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [environ_of(environ)]
    if name == "state":
        start_response("200 OK", [("Content-Type", "application/json")])
        told = json.dumps(state).encode()
        state.update(closed=0, ran=[])
        return [told]
    if name == "raise":
        raise ValueError("before start_response")
    if name == "exit":
        sys.exit(3)
    if name == "no-start":
        return [b"x"]
    if name == "not-bytes":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return ["text"]
    if name == "bytearray":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [bytearray(b"text")]
    if name == "none":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return None
    if name == "twice":
        start_response("200 OK", [("Content-Type", "text/plain")])
        start_response("201 Created", [("Content-Type", "text/plain")])
        return [b"x"]
    if name == "replaced":
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise ValueError
        except ValueError:
            start_response("503 Later", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"replaced"]
    lengths = {"raise-after-length": "6"}
    known = ("write", "generator", "closing", "raise-first", "raise-after-length", "large", "str-iter")
    write = start_response(
        "200 OK" if name in known else "404 Not Found",
        [("Content-Type", "text/plain"), *([("Content-Length", lengths[name])] if name in lengths else [])],
    )
    if name == "write":
        write(b"written ")
        return [b"yielded"]
    if name == "generator":
        return generated(b"one ", b"", b"two ", b"three")
    if name == "closing":
        return Closing([b"a", b"b"])
    if name == "raise-first":
        return generated(fail=ValueError("before the first chunk"))
    if name == "raise-after-length":
        return generated(b"123456", fail=ValueError("after the last byte"))
    if name == "large":
        return [b"x" * 300_000]
    if name == "str-iter":
        return iter([b"a", b"b"])
    return [b"nothing here: " + path.encode("latin-1")]


application = app
