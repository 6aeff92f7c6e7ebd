"""The requests that are put to every server, and the events that front ends make of them."""

import base64
import json
import pathlib
from urllib.parse import parse_qsl, unquote, unquote_plus

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRONT_ENDS = ("function-url", "http-api-v2", "http-api-v1", "rest", "alb", "alb-multi", "lattice-v2")
# The same, by what `wsgi-lambda serve` calls them.
SERVED = {
    "function-url": "function-url",
    "http-api-v2": "http-api",
    "http-api-v1": "http-api-v1",
    "rest": "rest",
    "alb": "alb",
    "alb-multi": "alb-multi",
    "lattice-v2": "lattice",
}

PLAIN = """echo empty latin1 repeated types length too-long bad-length status-header hop location no-content no-
    content-body not-modified teapot own-status bad-status newline number binary utf8 raise no-start not-
    bytes none twice replaced write generator closing raise-first raise-after-length large str-iter exit
    list-header tuple-headers nul two-lengths low-status reset-body bytearray nothing""".split()
TARGETS = [
    "/environ",
    "/environ/a%20b",
    "/environ/a+b",
    "/environ/%C3%A9",
    "/environ/a%2Fb",
    "/environ//double",
    "/environ/a;b=c",
    "/environ/%25",
    "/environ?a=1&b=2",
    "/environ?a=1&a=2",
    "/environ?a",
    "/environ?a=",
    "/environ?a=%26",
    "/environ?a=b+c",
    "/environ?%C3%A9=%E2%82%AC",
    "/environ?b=1&a=2",
    "/environ/?x=/y?z",
    "/environ?a=1&&b=2",
]
HEADERS = [
    {"X-A": "1"},
    {"Cookie": "a=1; b=2"},
    {"X-Under_Score": "1"},
    {"Proxy": "http://evil"},
    {"X-A": "caf\xe9"},
    {"Content-Type": "application/json"},
    {"Accept-Language": "de, en;q=0.5"},
    {"X-A": ""},
]


def requests():
    """Gives (name, method, target, headers, body)."""
    for path in PLAIN:
        yield f"GET /{path}", "GET", f"/{path}", {}, b""
    for path in ("length", "generator", "closing", "binary", "no-content", "location", "environ", "raise"):
        yield f"HEAD /{path}", "HEAD", f"/{path}", {}, b""
        yield f"GET /state after HEAD /{path}", "GET", "/state", {}, b""
    for path in ("no-content-body", "too-long", "closing", "generator", "raise-after-length"):
        yield f"GET /{path} again", "GET", f"/{path}", {}, b""
        yield f"GET /state after GET /{path}", "GET", "/state", {}, b""
    for target in TARGETS:
        yield f"GET {target}", "GET", target, {}, b""
    for headers in HEADERS:
        yield f"GET /environ with {headers}", "GET", "/environ", headers, b""
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for body in (b"a=1&b=2", bytes(range(256)), b""):
            yield f"{method} /echo of {len(body)} bytes", method, "/echo", {"Content-Type": "application/x-test"}, body
        yield f"{method} /environ", method, "/environ", {}, b""
    yield "POST /environ without a length", "POST", "/environ", {"X-No-Length": "1"}, b""


def event(front_end, method, target, headers, body):
    """The event that a front end makes of the request, from a captured one."""
    made = json.loads((ROOT / f"events/{front_end}-get.json").read_text())
    path, _, query = target.partition("?")
    headers = {"Host": "servers.test", **headers}
    pairs = parse_qsl(query, keep_blank_values=True)
    raw = [tuple((*part.split("=", 1), "")[:2]) for part in query.split("&") if part]
    context = made["requestContext"]
    kept = {"x-forwarded-for": "203.0.113.42", "x-forwarded-port": "80", "x-forwarded-proto": "http"}
    single = {**{name.lower(): value for name, value in headers.items()}, **kept}
    multi = {name: [value] for name, value in single.items()}
    made["body"], made["isBase64Encoded"] = base64.b64encode(body).decode(), True
    if front_end in ("function-url", "http-api-v2"):
        cookies = single.pop("cookie", None)
        made.update(
            rawPath=path
            if front_end == "function-url"
            else unquote(path, "latin-1").encode("latin-1").decode("utf-8", "replace"),
            rawQueryString=query,
            headers=single,
        )
        if cookies:
            made["cookies"] = cookies.split("; ")
        context["http"].update(method=method, path=path)
        context["stage"] = "$default"
    elif front_end in ("rest", "http-api-v1"):
        grouped = {}
        for name, value in pairs:
            grouped.setdefault(name, []).append(value)
        decoded = unquote(path, "latin-1").encode("latin-1").decode("utf-8", "replace")
        shown = path if front_end == "rest" else decoded
        made.update(
            path=shown,
            httpMethod=method,
            headers=single,
            multiValueHeaders=multi,
            pathParameters={"proxy": shown.lstrip("/")},
            queryStringParameters={name: values[-1] for name, values in grouped.items()} or None,
            multiValueQueryStringParameters=grouped or None,
        )
        context.update(
            path=shown, httpMethod=method, stage="$default" if front_end == "http-api-v1" else context["stage"]
        )
    elif front_end.startswith("alb"):
        grouped = {}
        for name, value in raw:
            grouped.setdefault(name, []).append(value)
        made.update(path=path, httpMethod=method)
        if front_end == "alb":
            made.update(headers=single, queryStringParameters={name: values[-1] for name, values in grouped.items()})
        else:
            made.update(multiValueHeaders=multi, multiValueQueryStringParameters=grouped)
    else:
        made.update(path=target, method=method, headers=multi)
        made.pop("queryStringParameters", None)
        grouped = {}
        for name, value in raw:
            grouped.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        if grouped:
            made["queryStringParameters"] = grouped
    return made
