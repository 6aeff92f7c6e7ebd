"""The benchmark's application with no framework."""

import time
from urllib.parse import parse_qsl

import answers

JSON = [("Content-Type", "application/json")]
OCTETS = [("Content-Type", "application/octet-stream")]
TEXT = [("Content-Type", "text/plain; charset=utf-8")]


def body_of(environ):
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def application(environ, start_response):
    path = environ.get("PATH_INFO", "")
    if path == "/echo":
        start_response("200 OK", OCTETS)
        return [body_of(environ)]
    if path == "/items":
        start_response("200 OK", JSON)
        return [answers.summary(body_of(environ))]
    if path == "/text":
        start_response("200 OK", TEXT)
        return [answers.text()]
    if path == "/binary":
        start_response("200 OK", OCTETS)
        return [answers.binary()]
    if path == "/headers":
        start_response("200 OK", JSON)
        return [answers.count(sum(name.startswith("HTTP_X_BENCH_") for name in environ))]
    if path == "/query":
        start_response("200 OK", JSON)
        return [answers.count(len(parse_qsl(environ.get("QUERY_STRING", ""))))]
    if path == "/ticks":
        start_response("200 OK", OCTETS)
        return answers.ticks()
    if path.startswith("/megabytes/"):
        start_response("200 OK", OCTETS)
        return answers.megabytes(int(path.rpartition("/")[2]))
    if path.startswith("/octets/"):
        start_response("200 OK", OCTETS)
        return [bytes(int(path.rpartition("/")[2]))]
    if path == "/sink":
        start_response("200 OK", JSON)
        return [answers.count(len(body_of(environ)))]
    if path == "/slow-close":
        start_response("200 OK", JSON)
        return answers.SlowClose()
    if path == "/sleep":
        time.sleep(0.1)
    start_response("200 OK", JSON)
    return [answers.HELLO]
