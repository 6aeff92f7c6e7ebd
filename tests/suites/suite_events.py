"""A WSGI environ as the event of each front end, and the runtime's answer as status, headers and body."""

import base64
import http.client
import ipaddress
import json
import re
from urllib.parse import quote, unquote_to_bytes

KINDS = ("rest", "http-api-v1", "http-api-v2", "function-url", "alb", "alb-multi", "lattice-v1", "lattice-v2")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
EXECUTE_API = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
FUNCTION_URL = "2cxn7odiwguak4feg4jtt7cwm0ziblrq.lambda-url.us-east-1.on.aws"
FORWARDED = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_FOR")
PCHAR = "/:@!$&'()*+,;=-._~"
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


class Uncarriable(Exception):
    """No HTTP message of this kind can be this environ."""


def wire(text, what, utf8=True):
    """A native string as JSON text: front ends hand bytes on as UTF-8."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        raise Uncarriable(f"{what} is no native string") from None
    if any((byte < 32 and byte != 9) or byte == 127 for byte in data):
        raise Uncarriable(f"{what} has control characters")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Uncarriable(f"{what} is not UTF-8: no event can hold it") from None


class Message:
    """One HTTP request, as the client would send it, made of a test's environ."""

    def __init__(self, environ):
        self.environ = environ
        self.method = environ.get("REQUEST_METHOD", "GET")
        if not isinstance(self.method, str) or not TOKEN.match(self.method):
            raise Uncarriable("the method is no token")
        self.script = environ.get("SCRIPT_NAME", "")
        self.path = environ.get("PATH_INFO", "")
        for text in (self.script, self.path):
            if not isinstance(text, str):
                raise Uncarriable("the path is no str")
            if text and not text.startswith("/"):
                raise Uncarriable("the path does not begin with a slash")
        if self.script.endswith("/"):
            raise Uncarriable("SCRIPT_NAME ends in a slash")
        # HTTP has at least a slash: the test's empty PATH_INFO is put back when the request arrives.
        self.emptied = not self.path
        self.path = self.path or "/"
        self.query = environ.get("QUERY_STRING", "")
        if not isinstance(self.query, str) or re.search(r"[^!-~]|[\"<>#]", self.query):
            raise Uncarriable("the query string has characters that no URL has")
        self.protocol = environ.get("SERVER_PROTOCOL", "HTTP/1.1")
        self.scheme = environ.get("wsgi.url_scheme", "http")
        self.headers = {}
        for key, value in environ.items():
            if isinstance(key, str) and key.startswith("HTTP_"):
                self.add(key[5:].replace("_", "-").lower(), value)
        if environ.get("CONTENT_TYPE"):
            self.add("content-type", environ["CONTENT_TYPE"])
        self.body = self.read_body()
        self.proxied = any(name in environ for name in FORWARDED)
        if "host" not in self.headers:
            host, port = environ.get("SERVER_NAME") or "localhost", str(environ.get("SERVER_PORT", ""))
            default = {"http": "80", "https": "443"}.get(self.scheme)
            self.add("host", f"{host}:{port}" if port and port != default else host)
        self.remote = environ.get("REMOTE_ADDR", "")
        try:
            ipaddress.ip_address(self.remote)
        except ValueError:
            self.remote = ""
        if not self.proxied:
            if self.scheme in ("http", "https"):
                self.headers["x-forwarded-proto"] = self.scheme
                self.headers["x-forwarded-port"] = str(environ.get("SERVER_PORT") or "")
            self.headers["x-forwarded-for"] = self.remote or "203.0.113.42"

    def add(self, name, value):
        if not TOKEN.match(name):
            raise Uncarriable("a header name is no token")
        if name in ("content-type", "content-length") and name in self.headers:
            raise Uncarriable(f"a second {name}")
        if not isinstance(value, str):
            raise Uncarriable(f"the value of {name} is no str")
        self.headers[name] = wire(value, f"the header {name}").strip(" \t")

    def read_body(self):
        length = self.environ.get("CONTENT_LENGTH")
        chunked = self.environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        if self.environ.get("wsgi.input_terminated") and not length:
            length = None if chunked or self.environ.get("wsgi.input") is not None else "0"
        elif length in (None, ""):
            return b""
        if length is not None and not re.match(r"[0-9]+\Z", str(length)):
            raise Uncarriable("Content-Length is not a number")
        stream = self.environ.get("wsgi.input")
        start = None
        try:
            if stream is not None and stream.seekable():
                start = stream.tell()
        except (AttributeError, OSError, ValueError):
            pass
        if stream is None:
            body = b""
        elif length is None:
            body = stream.read()
        elif start is None and int(length) > 0:
            body = read_exactly(stream, int(length))
        else:
            body = stream.read(int(length)) if int(length) else b""
        self.rewind = (stream, start)
        if start is not None:
            stream.seek(start)
        if length is not None and len(body) != int(length):
            if start is None and body:
                raise AssertionError("the harness has eaten a body")
            raise Uncarriable("Content-Length is not the size of the body")
        if self.environ.get("CONTENT_LENGTH"):
            self.headers["content-length"] = str(len(body))
        return body


def read_exactly(stream, length):
    """Some input streams of tests refuse to read past their end."""
    chunks = []
    while length:
        chunk = stream.read(length)
        if not chunk:
            break
        chunks.append(chunk)
        length -= len(chunk)
    return b"".join(chunks)


def encoded(text, given=None):
    """A decoded path, percent-encoded; as the test itself wrote it, where it did."""
    data = text.encode("latin-1")
    if given is not None:
        given = given.split("?")[0]
        if given.startswith("/") and re.match(r"[!-~]*\Z", given) and unquote_to_bytes(given) == data:
            return given
    return quote(data, safe=PCHAR)


def decoded(text):
    """What a front end that decodes paths shows."""
    return wire(text, "the path")


def decoded_pairs(query):
    """What a front end that decodes queries shows, in its order: by name."""
    pairs = {}
    for part in re.split("[&]", query):
        if part:
            name, _, value = part.partition("=")
            name, value = (unquote_to_bytes(item.replace("+", " ")) for item in (name, value))
            try:
                pairs.setdefault(name.decode(), []).append(value.decode())
            except UnicodeDecodeError:
                raise Uncarriable("the query is not UTF-8: an event with decoded values cannot hold it") from None
    return pairs


def raw_pairs(query):
    pairs = {}
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.setdefault(name, []).append(value)
    return pairs


def body_members(message, binary_only, flag="isBase64Encoded"):
    """The body as text where the front end may, else as base64."""
    if not message.body:
        return {"body": None, flag: False}
    content_type = message.headers.get("content-type", "")
    if binary_only and content_type.startswith(TEXT_TYPES) and "content-encoding" not in message.headers:
        try:
            return {"body": message.body.decode("utf-8"), flag: False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(message.body).decode(), flag: True}


def to_event(kind, message):
    """The event; its `request` is what the runtime can know of the request."""
    given = message.environ.get("REQUEST_URI") or message.environ.get("RAW_URI")
    script, path = message.script, message.path
    headers = {name: value for name, value in message.headers.items() if name != "transfer-encoding"}
    if kind in ("rest", "http-api-v1"):
        headers = {name.title(): value for name, value in headers.items()}
        if kind == "rest":
            headers.pop("Content-Length", None)
        pairs = decoded_pairs(message.query)
        if kind == "rest":
            full = encoded(script + path, given)
            prefix = encoded(script)
            if full.startswith(prefix + "/"):
                event_path = full[len(prefix) :]
            else:
                event_path, full = encoded(path), prefix + encoded(path)
        else:
            event_path = full = decoded(script + path)
        event = {
            "resource": "/{proxy+}",
            "path": event_path,
            "httpMethod": message.method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": {name: values[-1] for name, values in pairs.items()} or None,
            "multiValueQueryStringParameters": pairs or None,
            "pathParameters": {"proxy": event_path[1:]},
            "stageVariables": None,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": EXECUTE_API if script else "api.example.com",
                "domainPrefix": "a1b2c3d4e5",
                "httpMethod": message.method,
                "identity": {"sourceIp": message.remote or "203.0.113.42", "userAgent": None, "userArn": None},
                "path": full,
                "protocol": message.protocol,
                "requestId": "72ef7e97-3896-42f7-a65e-bee9bf2a6162",
                "requestTime": "15/Jul/2026:09:32:28 +0000",
                "requestTimeEpoch": 1784107948524,
                "resourcePath": "/{proxy+}",
                "stage": decoded(script)[1:] if script else ("prod" if kind == "rest" else "$default"),
            },
            **body_members(message, kind == "rest"),
        }
        if kind == "http-api-v1":
            event = {"version": "1.0", **event}
        return event
    if kind in ("http-api-v2", "function-url"):
        cookies = headers.get("cookie")
        crumbs = re.split(r"; ?", cookies) if cookies else []
        pairs = raw_pairs(message.query)
        stage = "$default"
        if kind == "http-api-v2":
            headers.pop("cookie", None)
            raw_path = decoded(script + path)
            domain = "api.example.com"
            if script:
                stage, domain = decoded(script)[1:], EXECUTE_API
        else:
            raw_path = encoded(path, given) if not script else encoded(path)
            domain = FUNCTION_URL
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": raw_path,
            "rawQueryString": message.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012" if kind == "http-api-v2" else "anonymous",
                "apiId": "a1b2c3d4e5",
                "authentication": None,
                "domainName": domain,
                "domainPrefix": domain.split(".")[0],
                "http": {
                    "method": message.method,
                    "path": path.encode("latin-1").decode("utf-8", "replace"),
                    "protocol": message.protocol,
                    "sourceIp": message.remote or "203.0.113.42",
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": "fsDPYDljkcaIkiQ=",
                "routeKey": "$default",
                "stage": stage,
                "time": "15/Jul/2026:09:43:34 +0000",
                "timeEpoch": 1784108614882,
            },
            **body_members(message, False),
        }
        if crumbs:
            event["cookies"] = crumbs
        if pairs:
            event["queryStringParameters"] = {name: ",".join(values) for name, values in pairs.items()}
        if event["body"] is None:
            del event["body"]
        return event
    target = encoded(path, given) if not script else encoded(path)
    pairs = raw_pairs(message.query)
    if kind in ("alb", "alb-multi"):
        event = {
            "requestContext": {
                "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/demo/6"}
            },
            "httpMethod": message.method,
            "path": target,
        }
        if kind == "alb":
            event["queryStringParameters"] = {name: values[-1] for name, values in pairs.items()}
            event["headers"] = headers
        else:
            event["multiValueQueryStringParameters"] = pairs
            event["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
        members = body_members(message, True)
        return {**event, **members, "body": members["body"] or ""}
    full = target + ("?" + message.query if message.query else "")
    if kind == "lattice-v1":
        return {
            "raw_path": full,
            "method": message.method,
            "headers": headers,
            "query_string_parameters": {name: values[-1] for name, values in pairs.items()},
            **body_members(message, False, "is_base64_encoded"),
        }
    return {
        "version": "2.0",
        "path": full,
        "method": message.method,
        "headers": {name: [value] for name, value in headers.items()},
        "queryStringParameters": pairs,
        **body_members(message, False),
        "requestContext": {
            "serviceNetworkArn": "arn:aws:vpc-lattice:us-east-1:123456789012:servicenetwork/sn-0bf3f2882e9cc805a",
            "serviceArn": "arn:aws:vpc-lattice:us-east-1:123456789012:service/svc-0a40eebed65f8d69c",
            "targetGroupArn": "arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-6d0ecf831eec9f09",
            "identity": {
                "sourceVpcArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-0b8276c84697e7339",
                "type": "NONE",
            },
            "region": "us-east-1",
            "timeEpoch": "1784109946598731",
        },
    }


DERIVED = {
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.input",
    "wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "REMOTE_ADDR", "wsgi.url_scheme", "REQUEST_URI", "RAW_URI", "wsgi.input_terminated",
    "SERVER_SOFTWARE", "GATEWAY_INTERFACE",
}  # fmt: skip


def merge(kind, message, given):
    """The runtime's environ for the application: with what the test put in by hand, and without what it left out."""
    test, environ = message.environ, dict(given)
    for key, value in test.items():
        if key not in DERIVED and not (isinstance(key, str) and key.startswith("HTTP_")):
            environ[key] = value
    for key in ("HTTP_HOST", *FORWARDED):
        if key not in test:
            environ.pop(key, None)
    for key in ("SERVER_NAME", "SERVER_PORT"):
        if key not in test:
            environ.pop(key, None)
    keep = set()
    if message.proxied:  # the front end would overwrite what the test wrote there
        keep |= {"wsgi.url_scheme", "SERVER_PORT", "REMOTE_ADDR"}
    if message.scheme not in ("http", "https"):
        keep |= {"wsgi.url_scheme", "SERVER_PORT"}
    host = test.get("HTTP_HOST")
    if host is not None:
        name, _, port = host.rpartition(":") if re.search(r":\d+\Z", host) else (host, "", "")
        if name != test.get("SERVER_NAME"):
            keep |= {"SERVER_NAME", "SERVER_PORT"}
        if port and port != test.get("SERVER_PORT"):
            keep.add("SERVER_PORT")
    if not re.match(r"[0-9]{1,5}\Z", str(test.get("SERVER_PORT", ""))):
        keep.add("SERVER_PORT")
    if kind not in ("rest", "http-api-v1", "http-api-v2"):
        if message.script:  # nothing in the event names it: middleware does
            keep |= {"SCRIPT_NAME", "REQUEST_URI", "RAW_URI"}
    if kind not in ("rest", "http-api-v1", "http-api-v2", "function-url"):
        keep.add("SERVER_PROTOCOL")
    if not message.remote:
        for key in ("REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT"):
            if key not in test:
                environ.pop(key, None)
        keep.add("REMOTE_ADDR")
    for key in ("REQUEST_URI", "RAW_URI"):
        uri = test.get(key)
        if isinstance(uri, str):
            path = uri.split("?")[0]
            if unquote_to_bytes(path) != (message.script + message.path).encode("latin-1"):
                keep.add(key)
    if message.emptied:
        environ["PATH_INFO"] = ""
        keep |= {"REQUEST_URI", "RAW_URI"}
    if test.get("wsgi.version", (1, 0)) != (1, 0):
        keep.add("wsgi.version")
    for key in keep:
        if key in test:
            environ[key] = test[key]
    return environ


def differences(message, environ):
    """Where the runtime's environ says something else than the test's."""
    keys = DERIVED - {
        "wsgi.input", "wsgi.version", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "SERVER_SOFTWARE",
        "GATEWAY_INTERFACE", "wsgi.input_terminated", "REQUEST_URI", "RAW_URI",
    }  # fmt: skip
    keys |= {key for key in {**message.environ, **environ} if isinstance(key, str) and key.startswith("HTTP_")}
    found = []
    for key in sorted(keys):
        old, new = message.environ.get(key), environ.get(key)
        if old != new and not (old in (None, "") and new in (None, "", "0")):
            found.append(f"{key}: {str(old)[:60]!r} became {str(new)[:60]!r}")
    return found


class Answer:
    """Status, headers and body that the front end would send, from the envelope."""

    def __init__(self, kind, envelope, called):
        self.code = envelope["statusCode"]
        assert isinstance(self.code, int), envelope
        allowed = {"statusCode", "body", "isBase64Encoded"}
        pairs = []
        if kind in ("rest", "http-api-v1", "alb-multi"):
            allowed |= {"multiValueHeaders"}
            pairs = [(name, value) for name, values in envelope["multiValueHeaders"].items() for value in values]
        else:
            allowed |= {"headers"}
            pairs = [(name, value) for name, value in envelope["headers"].items()]
            if kind in ("http-api-v2", "function-url"):
                allowed |= {"cookies"}
                assert not any(name.lower() == "set-cookie" for name, _ in pairs), envelope
                pairs += [("Set-Cookie", value) for value in envelope.get("cookies", ())]
        if kind.startswith(("alb", "lattice")):
            allowed |= {"statusDescription"}
            assert envelope["statusDescription"].startswith(f"{self.code} "), envelope
        assert set(envelope) <= allowed, f"the envelope has keys that {kind} does not know: {sorted(envelope)}"
        body = envelope["body"]
        assert isinstance(body, str)
        self.body = base64.b64decode(body, validate=True) if envelope["isBase64Encoded"] else body.encode("utf-8")
        # Reason phrase, order and spelling of header names are not HTTP's to carry: the application's stand.
        self.reason = http.client.responses.get(self.code, "Unknown")
        order = {}
        if called.status is not None:
            if called.status[:3] == str(self.code):
                self.reason = called.status[4:]
            for at, (name, _) in enumerate(called.headers):
                order.setdefault(name.lower(), (at, name))
        self.headers = [
            (order.get(name.lower(), (0, name))[1], value.encode("utf-8").decode("latin-1")) for name, value in pairs
        ]
        self.headers.sort(key=lambda pair: order.get(pair[0].lower(), (len(order), ""))[0])
        self.status = f"{self.code} {self.reason}"


def load(data):
    return json.loads(data)
