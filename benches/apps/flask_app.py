"""The same application with Flask."""

import time

from flask import Flask, Response, request

import answers

application = Flask(__name__)


def json(body):
    return Response(body, mimetype="application/json")


def octets(body):
    return Response(body, mimetype="application/octet-stream")


@application.get("/", defaults={"path": ""})
@application.get("/<path:path>")
def hello(path):
    return json(answers.HELLO)


@application.post("/echo")
def echo():
    return octets(request.get_data())


@application.post("/items")
def items():
    return json(answers.summary(request.get_data()))


@application.get("/text")
def text():
    return Response(answers.text(), mimetype="text/plain")


@application.get("/binary")
def binary():
    return octets(answers.binary())


@application.get("/headers")
def headers():
    return json(answers.count(sum(name.startswith("X-Bench-") for name in request.headers.keys())))


@application.get("/query")
def query():
    return json(answers.count(len(request.args)))


@application.get("/ticks")
def ticks():
    return octets(answers.ticks())


@application.get("/sleep")
def sleep():
    time.sleep(0.1)
    return json(answers.HELLO)


@application.get("/slow-close")
def slow_close():
    response = json(answers.HELLO)
    response.call_on_close(answers.SlowClose().close)
    return response


@application.get("/megabytes/<int:number>")
def megabytes(number):
    return octets(answers.megabytes(number))
