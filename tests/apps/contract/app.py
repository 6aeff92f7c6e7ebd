"""Reports what it was called with as JSON, or gives the answer that the request asks for.

The header `X-Contract-Answer` holds the wanted answer as JSON:

    {"status": "200 OK", "headers": [["X-A", "1"]], "text": "…" | "base64": "…" | "chunks": ["…"]
     | "repeat": {"base64": "…", "count": 9}, "raise": "message"}

Without it the answer is a report; its `problems` lists every rule of PEP 3333 that the call broke, whatever the
event was.
"""

import base64
import json
import re
import urllib.parse

LARGE = 100_000
REQUIRED = (
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REQUEST_URI",
    "RAW_URI",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
)
NEVER = ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_PROXY", "HTTP_TRANSFER_ENCODING")
EVENT_KEYS = ("serverless.event", "apig_wsgi.full_event", "awsgi.event", "lambda.event")
CONTEXT_KEYS = ("serverless.context", "apig_wsgi.context", "awsgi.context", "lambda.context")


def app(environ, start_response):
    environ["wsgi.errors"].write("contract application called\n")
    wish = environ.get("HTTP_X_CONTRACT_ANSWER")
    return answer(json.loads(wish), start_response) if wish else report(environ, start_response)


def answer(wish, start_response):
    if "raise" in wish:
        raise RuntimeError(wish["raise"])
    start_response(wish.get("status", "200 OK"), [(name, value) for name, value in wish.get("headers", [])])
    return list(chunks(wish))


def chunks(wish):
    for text in wish.get("chunks", []):
        yield text.encode()
    if "text" in wish:
        yield wish["text"].encode()
    if "base64" in wish:
        yield base64.b64decode(wish["base64"])
    if "repeat" in wish:
        yield base64.b64decode(wish["repeat"]["base64"]) * wish["repeat"]["count"]


def report(environ, start_response):
    problems = list(broken_rules(environ))
    body = environ["wsgi.input"].read()
    if environ["wsgi.input"].read(1) != b"":
        problems.append("wsgi.input gives more after its end")
    problems += wrong_length(environ, body)
    found = {
        "environ": {key: value for key, value in environ.items() if is_plain(value)},
        "keys": sorted(environ),
        "problems": problems,
        "body_length": len(body),
        "query": urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, encoding="utf-8"),
        "url": reconstructed_url(environ),
        "context": described_context(environ.get("wsgi_lambda.context")),
    }
    if len(body) < LARGE:
        found["body_base64"] = base64.b64encode(body).decode()
    event = environ.get("wsgi_lambda.event")
    if is_text(event):
        found["event"] = event
    payload = json.dumps(found).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(payload)))])
    return [payload]


def is_plain(value):
    return isinstance(value, (str, bool, int)) and is_text(value)


def is_text(value):
    """Whether it can be written as JSON that every reader takes, and is not a whole upload."""
    try:
        return len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode()) < LARGE
    except (TypeError, ValueError, RecursionError):
        return False


def reconstructed_url(environ):
    """The recipe of PEP 3333, "URL Reconstruction"."""
    host = environ.get("HTTP_HOST")
    if not host:
        default = {"https": "443", "http": "80"}[environ["wsgi.url_scheme"]]
        port = environ["SERVER_PORT"]
        host = environ["SERVER_NAME"] + ("" if port == default else f":{port}")
    path = quoted(environ["SCRIPT_NAME"]) + quoted(environ["PATH_INFO"])
    query = environ["QUERY_STRING"]
    return f"{environ['wsgi.url_scheme']}://{host}{path}" + (f"?{query}" if query else "")


def quoted(path):
    return urllib.parse.quote(path, safe="/:@!$&'()*+,;=~-._", encoding="latin-1")


def described_context(context):
    remaining = getattr(context, "get_remaining_time_in_millis", int)()
    names = ("aws_request_id", "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb")
    return {"remaining": isinstance(remaining, int) and remaining > 0} | {
        name: isinstance(getattr(context, name, None), (str, int)) for name in names
    }


def broken_rules(environ):
    if type(environ) is not dict:
        yield f"environ is a {type(environ)}"
    for key, value in environ.items():
        yield from broken_variable(key, value)
    for key in REQUIRED:
        if key not in environ:
            yield f"{key} is missing"
    for key in NEVER:
        if key in environ:
            yield f"{key} is there"
    yield from broken_cgi(environ)
    yield from broken_wsgi(environ)
    yield from broken_own(environ)


def broken_variable(key, value):
    if "." in key:
        return
    if type(value) is not str:
        yield f"{key} is a {type(value)}"
        return
    if any(ord(character) > 255 for character in value):
        yield f"{key} is not a native string: {value!a}"
    if key.startswith("HTTP_") and re.search(r"[\r\n\0]", value):
        yield f"{key} holds a line break or NUL: {value!a}"
    if not re.fullmatch(r"[!#$%&'*+^`|~A-Z0-9_-]+", key):
        yield f"{key!a} is not a name of CGI"
    if key.startswith("AWS_") or key in ("PATH", "LAMBDA_TASK_ROOT"):
        yield f"{key} was copied from the process environment"


def broken_cgi(environ):
    script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    if script and (not script.startswith("/") or script.endswith("/")):
        yield f"SCRIPT_NAME is {script!a}"
    if not path.startswith("/") and not (script and path == ""):
        yield f"PATH_INFO is {path!a}"
    if not environ.get("REQUEST_METHOD"):
        yield "REQUEST_METHOD is empty"
    if not environ.get("SERVER_NAME"):
        yield "SERVER_NAME is empty"
    if not environ.get("SERVER_PORT", "").isdigit():
        yield f"SERVER_PORT is {environ.get('SERVER_PORT')!a}"
    if not re.fullmatch(r"HTTP/\d(\.\d)?", environ.get("SERVER_PROTOCOL", "")):
        yield f"SERVER_PROTOCOL is {environ.get('SERVER_PROTOCOL')!a}"
    if environ.get("REQUEST_URI") != environ.get("RAW_URI"):
        yield f"REQUEST_URI {environ.get('REQUEST_URI')!a} is not RAW_URI {environ.get('RAW_URI')!a}"
    if ("REMOTE_USER" in environ) != ("AUTH_TYPE" in environ):
        yield f"REMOTE_USER {environ.get('REMOTE_USER')!a} but AUTH_TYPE {environ.get('AUTH_TYPE')!a}"
    for key in ("REMOTE_USER", "AUTH_TYPE", "REMOTE_ADDR"):
        if environ.get(key) == "":
            yield f"{key} is empty; it should be absent"


def broken_wsgi(environ):
    if environ.get("wsgi.version") != (1, 0) or type(environ.get("wsgi.version")) is not tuple:
        yield f"wsgi.version is {environ.get('wsgi.version')!a}"
    if environ.get("wsgi.url_scheme") not in ("http", "https"):
        yield f"wsgi.url_scheme is {environ.get('wsgi.url_scheme')!a}"
    for key, wanted in (("wsgi.multithread", False), ("wsgi.run_once", False), ("wsgi.input_terminated", True)):
        if environ.get(key) is not wanted:
            yield f"{key} is {environ.get(key)!a}"
    if not isinstance(environ.get("wsgi.multiprocess"), bool):
        yield f"wsgi.multiprocess is {environ.get('wsgi.multiprocess')!a}"
    for name in ("read", "readline", "readlines", "__iter__"):
        if not callable(getattr(environ.get("wsgi.input"), name, None)):
            yield f"wsgi.input has no {name}"
    if environ["wsgi.input"].read(0) != b"":
        yield "wsgi.input.read(0) gives bytes"


def broken_own(environ):
    event, context = environ.get("wsgi_lambda.event"), environ.get("wsgi_lambda.context")
    if type(event) is not dict:
        yield f"wsgi_lambda.event is a {type(event)}"
    if not isinstance(getattr(context, "aws_request_id", None), str):
        yield f"wsgi_lambda.context is a {type(context)} without aws_request_id"
    if not (isinstance(environ.get("wsgi_lambda.origin"), str) and environ["wsgi_lambda.origin"]):
        yield f"wsgi_lambda.origin is {environ.get('wsgi_lambda.origin')!a}"
    for key in EVENT_KEYS:
        if environ.get(key) != event:
            yield f"{key} is not the event"
    for key in CONTEXT_KEYS:
        if environ.get(key) is not context:
            yield f"{key} is not the context"
    described = (event or {}).get("requestContext") or {}
    if not isinstance(described, dict):
        return
    if (environ.get("serverless.authorizer") or None) != (described.get("authorizer") or None):
        yield "serverless.authorizer is not the event's authorizer"
    if (environ.get("apig_wsgi.request_context") or {}) != described:
        yield "apig_wsgi.request_context is not the event's requestContext"


def wrong_length(environ, body):
    length = environ.get("CONTENT_LENGTH", "")
    if length and not re.fullmatch(r"[0-9]+", length):
        yield f"CONTENT_LENGTH is {length!a}"
    elif int(length or 0) != len(body):
        yield f"CONTENT_LENGTH is {length!a} for {len(body)} bytes"
    elif not length and body:
        yield "CONTENT_LENGTH is missing"
